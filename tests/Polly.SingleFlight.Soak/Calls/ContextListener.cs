using Polly.Telemetry;

namespace Polly.SingleFlight.Soak;

/// <summary>A telemetry listener that checks whose context it is told of; sometimes it throws.</summary>
internal sealed class ContextListener(World world) : TelemetryListener
{
    private int _count;

    public override void Write<TResult, TArgs>(in TelemetryEventArguments<TResult, TArgs> args)
    {
        args.Context.Properties.TryGetValue(Call.Property, out var call);
        // What OnFlightAbandoned throws late is reported on a context of its own.
        if (call is null && args.Event.EventName != "OnFlightCallbackFailed")
        {
            world.Violations.Add("I6 telemetry on a context that nobody uses", args.Event.ToString());
        }
        else if (args.Event.EventName.StartsWith("OnFlight", StringComparison.Ordinal) && args.Outcome is not null)
        {
            world.Violations.Add("S14 an event with an outcome", args.Event.ToString());
        }

        // Polly's own events are not guarded, ours are.
        if (args.Event.EventName.StartsWith("OnFlight", StringComparison.Ordinal) && Interlocked.Increment(ref _count) % 256 == 0)
        {
            throw new InvalidOperationException("Thrown by a telemetry listener.");
        }
    }
}
