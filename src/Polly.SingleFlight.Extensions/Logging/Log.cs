using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Polly.SingleFlight.Extensions.Logging;

/// <summary>Everything that is logged. No key, URL, header or body is an argument of any of these, nor an exception of a request.</summary>
internal static partial class Log
{
    public const string Category = "Polly.SingleFlight";

    public static ILogger CreateLogger(IServiceProvider services) =>
        services.GetService<ILoggerFactory>()?.CreateLogger(Category) ?? NullLogger.Instance;

    [LoggerMessage(1, LogLevel.Debug, "Pipeline {Pipeline} of client '{Client}': joined flight {FlightId}, {CallerCount} callers so far.")]
    public static partial void Joined(ILogger logger, string? pipeline, string? client, long flightId, int callerCount);

    [LoggerMessage(2, LogLevel.Debug, "Pipeline {Pipeline} of client '{Client}': flight {FlightId} was abandoned by all of its {CallerCount} callers.")]
    public static partial void Abandoned(ILogger logger, string? pipeline, string? client, long flightId, int callerCount);

    [LoggerMessage(3, LogLevel.Trace, "Pipeline {Pipeline} of client '{Client}': a request was not coalesced ({Reason}).")]
    public static partial void Bypassed(ILogger logger, string? pipeline, string? client, BypassReason reason);

    [LoggerMessage(4, LogLevel.Warning, "Pipeline {Pipeline} of client '{Client}': a request would have waited for itself and was sent alone. A handler or strategy inside the pipeline sends an equal request.")]
    public static partial void BypassedByReentrancy(ILogger logger, string? pipeline, string? client);

    [LoggerMessage(5, LogLevel.Warning, "Pipeline {Pipeline} of client '{Client}': a response was not shared with those who waited for it ({Reason}); they send their own requests.")]
    public static partial void ResponseUnshared(ILogger logger, string? pipeline, string? client, string? reason);

    [LoggerMessage(6, LogLevel.Warning, "Pipeline {Pipeline} of client '{Client}': a handler inside single flight adds credentials, so responses are not shared. Add single flight after that handler, or set a Discriminator. This is reported once.")]
    public static partial void CredentialGuardTripped(ILogger logger, string? pipeline, string? client);

    [LoggerMessage(7, LogLevel.Error, "Pipeline {Pipeline} of client '{Client}': a callback of the options failed ({Callback}).")]
    public static partial void CallbackFailed(ILogger logger, string? pipeline, string? client, string? callback);

    [LoggerMessage(8, LogLevel.Information, "Pipeline {Pipeline} of client '{Client}' was built again with changed options.")]
    public static partial void PipelineReloaded(ILogger logger, string pipeline, string client);

    [LoggerMessage(9, LogLevel.Error, "Pipeline {Pipeline} of client '{Client}' could not be built with the changed options; the last one stays in use.")]
    public static partial void PipelineReloadFailed(ILogger logger, Exception exception, string pipeline, string client);

    [LoggerMessage(10, LogLevel.Error, "The changed configuration of single flight for client '{Client}' is invalid; the last one stays in use. {Error}")]
    public static partial void ConfigurationRejected(ILogger logger, string client, string error);
}
