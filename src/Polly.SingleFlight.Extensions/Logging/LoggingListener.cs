using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Polly.Telemetry;

namespace Polly.SingleFlight.Extensions.Logging;

/// <summary>Writes the events of the single flight strategies of a pipeline to the log, and passes all events on.</summary>
internal sealed class LoggingListener : TelemetryListener
{
    private readonly TelemetryListener? _next;
    private readonly ILogger _logger;

    private LoggingListener(TelemetryListener? next, ILogger logger) => (_next, _logger) = (next, logger);

    /// <summary>A listener that hears everything before <paramref name="next"/>, the one that the user has set, does.</summary>
    public static LoggingListener Before(TelemetryListener? next, ILogger logger) => new(next, logger);

    public override void Write<TResult, TArgs>(in TelemetryEventArguments<TResult, TArgs> args)
    {
        Log(args.Event.EventName, args.Source, args.Arguments);
        _next?.Write(args);
    }

    private void Log<TArgs>(string @event, ResilienceTelemetrySource source, TArgs args)
    {
        var (pipeline, client) = (source.PipelineName, source.PipelineInstanceName);
        switch (@event)
        {
            case "OnFlightJoined" when _logger.IsEnabled(LogLevel.Debug) && Is<TArgs, OnFlightJoinedArguments>(ref args, out var joined):
                Logging.Log.Joined(_logger, pipeline, client, joined.FlightId, joined.CallerCount);
                break;
            case "OnFlightAbandoned" when _logger.IsEnabled(LogLevel.Debug) && Is<TArgs, OnFlightAbandonedArguments>(ref args, out var abandoned):
                Logging.Log.Abandoned(_logger, pipeline, client, abandoned.FlightId, abandoned.CallerCount);
                break;
            case "OnFlightBypassed" when Is<TArgs, OnFlightBypassedArguments>(ref args, out var bypassed):
                if (bypassed.Reason == BypassReason.Reentrancy)
                {
                    Logging.Log.BypassedByReentrancy(_logger, pipeline, client);
                }
                else
                {
                    Logging.Log.Bypassed(_logger, pipeline, client, bypassed.Reason);
                }

                break;
            case "OnResponseUnshared" when IsOurs<TArgs>() && _logger.IsEnabled(LogLevel.Warning):
                Logging.Log.ResponseUnshared(_logger, pipeline, client, args?.ToString());
                break;
            case "OnCredentialGuard":
                Logging.Log.CredentialGuardTripped(_logger, pipeline, client);
                break;
            case "OnFlightCallbackFailed" when IsOurs<TArgs>() && _logger.IsEnabled(LogLevel.Error):
                Logging.Log.CallbackFailed(_logger, pipeline, client, args?.ToString());
                break;
        }
    }

    /// <summary>What another strategy's arguments would say about themselves is not ours to log.</summary>
    private static bool IsOurs<TArgs>() => typeof(TArgs).Assembly == typeof(SingleFlightGroup).Assembly;

    /// <summary>Tells and converts without a box.</summary>
    private static bool Is<TArgs, TExpected>(ref TArgs args, out TExpected expected)
    {
        var matches = typeof(TArgs) == typeof(TExpected);
        expected = matches ? Unsafe.As<TArgs, TExpected>(ref args) : default!;
        return matches;
    }
}
