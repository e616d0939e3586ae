using Microsoft.Extensions.Logging;

namespace Polly.SingleFlight.Extensions.Telemetry;

/// <summary>Everything that is logged. No key, URL, value of a header or body is an argument of any of these, nor an exception of a request.</summary>
internal static partial class Log
{
    public const string Category = "Polly.SingleFlight";

    public static ILogger CreateLogger(ILoggerFactory loggers) => loggers.CreateLogger(Category);

    [LoggerMessage(1, LogLevel.Debug, "Pipeline '{Pipeline}/{Instance}': joined flight {FlightId}, {CallerCount} callers so far.")]
    public static partial void Joined(ILogger logger, string? pipeline, string? instance, long flightId, int callerCount);

    [LoggerMessage(2, LogLevel.Information, "Pipeline '{Pipeline}/{Instance}': flight {FlightId} was abandoned by all of its {CallerCount} callers.")]
    public static partial void Abandoned(ILogger logger, string? pipeline, string? instance, long flightId, int callerCount);

    [LoggerMessage(3, LogLevel.Debug, "Pipeline '{Pipeline}/{Instance}': an execution was not coalesced ({Reason}).")]
    public static partial void Bypassed(ILogger logger, string? pipeline, string? instance, BypassReason reason);

    [LoggerMessage(4, LogLevel.Warning, "Pipeline '{Pipeline}/{Instance}': an execution would have waited for itself and ran alone ({Reason}). What runs inside single flight asks for the same key again.")]
    public static partial void BypassedByReentrancy(ILogger logger, string? pipeline, string? instance, BypassReason reason);

    [LoggerMessage(5, LogLevel.Warning, "Pipeline '{Pipeline}/{Instance}': a response was not shared with those who waited for it ({Reason}); they send their own requests.")]
    public static partial void ResponseUnshared(ILogger logger, string? pipeline, string? instance, string? reason);

    [LoggerMessage(6, LogLevel.Warning, "Pipeline '{Pipeline}/{Instance}': a handler inside single flight sends {Addition} that the caller's request had not, so responses are not shared. If it depends on the caller, add single flight after that handler. If it is the same for all callers, add the name of the header to HarmlessHeaders (Host for another host), or for credentials set GuardCredentials to false. This is reported once.")]
    public static partial void IdentityAdded(ILogger logger, string? pipeline, string? instance, string? addition);

    [LoggerMessage(7, LogLevel.Error, "Pipeline '{Pipeline}/{Instance}': a callback of the options failed ({Callback}).")]
    public static partial void CallbackFailed(ILogger logger, string? pipeline, string? instance, string? callback);

    [LoggerMessage(8, LogLevel.Information, "Client '{Client}': handlers that were added before single flight were moved inside, so that they act once for all callers ({Handlers}). KeepHandlerOrder keeps the order.")]
    public static partial void HandlersMoved(ILogger logger, string client, string handlers);

    [LoggerMessage(9, LogLevel.Error, "The changed options of single flight for client '{Client}' are invalid; the last ones stay in use. {Error}")]
    public static partial void OptionsRejected(ILogger logger, string client, string error);

    [LoggerMessage(10, LogLevel.Information, "The configuration section '{Section}' for single flight does not exist or is empty; it sets nothing.")]
    public static partial void SectionMissing(ILogger logger, string section);

    [LoggerMessage(11, LogLevel.Warning, "Pipeline '{Pipeline}/{Instance}': a request was not coalesced although its method is among Methods ({Reason}). {Advice} This is reported once.")]
    public static partial void OptedInBypassed(ILogger logger, string? pipeline, string? instance, BypassReason reason, string advice);

    [LoggerMessage(12, LogLevel.Warning, "Pipeline '{Pipeline}/{Instance}': no execution so far had a key, so none was coalesced ({Reason}). Call ExecuteSingleFlightAsync, or SetSingleFlightKey on the context, or set a KeyGenerator; for HTTP, the pipeline must be that of a resilience handler, and a Discriminator must give a value. This is reported once.")]
    public static partial void NeverKeyed(ILogger logger, string? pipeline, string? instance, BypassReason reason);
}
