using System.Diagnostics;
using Polly.Telemetry;

namespace Polly.SingleFlight.Redis.Telemetry;

/// <summary>Everything the strategy reports, without key and without result. Nothing here throws.</summary>
internal sealed class DistributedTelemetry(ResilienceStrategyTelemetry telemetry, TagList tags)
{
    private static readonly ResilienceEvent s_led = new(ResilienceEventSeverity.Debug, "OnDistributedFlightLed");
    private static readonly ResilienceEvent s_joined = new(ResilienceEventSeverity.Debug, "OnDistributedFlightJoined");
    private static readonly ResilienceEvent s_bypassed = new(ResilienceEventSeverity.Debug, "OnDistributedFlightBypassed");
    private static readonly ResilienceEvent s_bypassedWarning = new(ResilienceEventSeverity.Warning, "OnDistributedFlightBypassed");

    public void Led(ResilienceContext context) => Report(s_led, context, "");

    public void Joined(ResilienceContext context) => Report(s_joined, context, "");

    public void Bypassed(ResilienceContext context, DistributedBypassReason reason)
    {
        DistributedInstruments.Executed(tags, "alone", reason);
        Report(
            reason is DistributedBypassReason.NoKey or DistributedBypassReason.Reentrancy ? s_bypassed : s_bypassedWarning,
            context,
            new OnDistributedFlightBypassedArguments(context, reason));
    }

    public void LeaderEnded() => DistributedInstruments.Executed(tags, "leader", null);

    public void FollowerEnded() => DistributedInstruments.Executed(tags, "follower", null);

    public void Waited(TimeSpan time) => DistributedInstruments.Waited(tags, time);

    public void HandedOver(int bytes) => DistributedInstruments.HandedOver(tags, bytes);

    private void Report<TArgs>(ResilienceEvent @event, ResilienceContext context, TArgs args)
    {
        try
        {
            telemetry.Report(@event, context, args);
        }
        catch (Exception)
        {
            // A listener that throws fails no execution.
        }
    }
}
