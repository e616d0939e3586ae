using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Polly.Telemetry;

namespace Polly.SingleFlight.Extensions.Telemetry;

/// <summary>Logs what the single flight strategies of all pipelines of the services report, with the reasons that Polly's own log leaves out.</summary>
internal sealed class LoggingListener(ILoggerFactory loggers) : TelemetryListener
{
    private readonly ILogger _logger = Telemetry.Log.CreateLogger(loggers);

    public override void Write<TResult, TArgs>(in TelemetryEventArguments<TResult, TArgs> args) =>
        Log(args.Event, args.Context, args.Source.PipelineName, args.Source.PipelineInstanceName, args.Arguments);

    private void Log<TArgs>(ResilienceEvent @event, ResilienceContext context, string? pipeline, string? instance, TArgs args)
    {
        // What another strategy's arguments would say about themselves is not ours to log.
        if (typeof(TArgs).Assembly != typeof(SingleFlightGroup).Assembly)
        {
            return;
        }

        if (Is<TArgs, OnFlightBypassedArguments>(ref args, out var bypassed))
        {
            LogBypass(@event.Severity, context, pipeline, instance, bypassed.Reason);
        }
        else if (Is<TArgs, OnFlightJoinedArguments>(ref args, out var joined))
        {
            Telemetry.Log.Joined(_logger, pipeline, instance, joined.FlightId, joined.CallerCount);
        }
        else if (Is<TArgs, OnFlightAbandonedArguments>(ref args, out var abandoned))
        {
            Telemetry.Log.Abandoned(_logger, pipeline, instance, abandoned.FlightId, abandoned.CallerCount);
        }
        else if (@event.Severity >= ResilienceEventSeverity.Warning)
        {
            LogWarning(@event.EventName, pipeline, instance, args?.ToString());
        }
    }

    private void LogBypass(ResilienceEventSeverity severity, ResilienceContext context, string? pipeline, string? instance, BypassReason reason)
    {
        if (severity < ResilienceEventSeverity.Warning)
        {
            Telemetry.Log.Bypassed(_logger, pipeline, instance, reason);
        }
        else if (reason == BypassReason.Reentrancy)
        {
            Telemetry.Log.BypassedByReentrancy(_logger, pipeline, instance, reason);
        }
        else if (reason == BypassReason.NoKey && !HasRelativeUri(context))
        {
            Telemetry.Log.NeverKeyed(_logger, pipeline, instance, reason);
        }
        else
        {
            Telemetry.Log.OptedInBypassed(_logger, pipeline, instance, reason, AdviceFor(reason));
        }
    }

    /// <summary>Such a request has no key although others of its pipeline may have one.</summary>
    private static bool HasRelativeUri(ResilienceContext context) => context.GetRequestMessage() is { RequestUri: not { IsAbsoluteUri: true } };

    private static string AdviceFor(BypassReason reason) => reason switch
    {
        BypassReason.UnbufferedBody => "Buffer its body with LoadIntoBufferAsync before it is sent.",
        BypassReason.BodyTooLarge => "Its body is larger than MaxRequestBodyBytes.",
        BypassReason.Header => "A header such as Cache-Control: no-store, or one of BypassHeaders, keeps it apart.",
        BypassReason.NoKey => "Its URI must be absolute.",
        _ => "See BypassReason.",
    };

    private void LogWarning(string @event, string? pipeline, string? instance, string? words)
    {
        switch (@event)
        {
            case "OnResponseUnshared":
                Telemetry.Log.ResponseUnshared(_logger, pipeline, instance, words);
                break;
            case "OnIdentityGuard":
                Telemetry.Log.IdentityAdded(_logger, pipeline, instance, words);
                break;
            case "OnFlightCallbackFailed":
                Telemetry.Log.CallbackFailed(_logger, pipeline, instance, words);
                break;
            default:
                break;
        }
    }

    /// <summary>Tells and converts without a box.</summary>
    private static bool Is<TArgs, TExpected>(ref TArgs args, out TExpected expected)
    {
        var matches = typeof(TArgs) == typeof(TExpected);
        expected = matches ? Unsafe.As<TArgs, TExpected>(ref args) : default!;
        return matches;
    }
}
