using Polly.Telemetry;

namespace Polly.SingleFlight.Extensions.Telemetry;

/// <summary>Adds the reason to the events of Polly's meter that count executions which were not coalesced.</summary>
internal sealed class BypassReasonEnricher : MeteringEnricher
{
    private static readonly string[] s_names = Enum.GetNames<BypassReason>();

    public override void Enrich<TResult, TArgs>(in EnrichmentContext<TResult, TArgs> context)
    {
        if (typeof(TArgs) == typeof(OnFlightBypassedArguments) && context.TelemetryEvent.Arguments is OnFlightBypassedArguments { Reason: var reason })
        {
            context.Tags.Add(new("single_flight.bypass_reason", s_names[(int)reason]));
        }
    }
}
