using Polly.Simmy;
using Polly.Simmy.Fault;
using Polly.Simmy.Latency;
using Polly.Simmy.Outcomes;

namespace Polly.SingleFlight.Composition.Tests.Chaos;

internal sealed class ChaosException() : Exception("Injected.");

/// <summary>
/// An upstream that answers with the number of the key that the context has, behind Polly's chaos strategies: faults, latencies
/// of up to 6 s, and degraded answers, which are those below zero.
/// </summary>
internal sealed class ChaosUpstream(TimeProvider clock, SeededRandom random)
{
    private int _calls;
    private int _running;

    public int Calls => Volatile.Read(ref _calls);

    public int Running => Volatile.Read(ref _running);

    public void Disturb(ResiliencePipelineBuilder<int> builder) => builder
        .AddChaosOutcome(new ChaosOutcomeStrategyOptions<int>
        {
            InjectionRate = ChaosPlan.OutcomeRate,
            Randomizer = random.NextDouble,
            OutcomeGenerator = static args => new(Outcome.FromResult(-KeyOf(args.Context))),
        })
        .AddChaosLatency(new ChaosLatencyStrategyOptions
        {
            InjectionRate = ChaosPlan.LatencyRate,
            Randomizer = random.NextDouble,
            LatencyGenerator = _ => new(TimeSpan.FromSeconds(6 * random.NextDouble())),
        })
        .AddChaosFault(new ChaosFaultStrategyOptions
        {
            InjectionRate = ChaosPlan.FaultRate,
            Randomizer = random.NextDouble,
            FaultGenerator = static _ => new(new ChaosException()),
        });

    public async ValueTask<int> CallAsync(ResilienceContext context)
    {
        Interlocked.Increment(ref _calls);
        Interlocked.Increment(ref _running);
        try
        {
            await Task.Delay(ChaosPlan.UpstreamTime, clock, context.CancellationToken).ConfigureAwait(false);
            return KeyOf(context);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    /// <summary>Read from the flight's context, so a context that was another flight's would show.</summary>
    private static int KeyOf(ResilienceContext context) => (int)context.GetSingleFlightKey()!;
}
