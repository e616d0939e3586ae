using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>One way of making a call. All of them are handed a rented context, whether they need one or not.</summary>
internal abstract class Contestant(string name)
{
    public string Name => name;

    /// <summary>Puts the key where this contestant looks for it.</summary>
    public virtual void SetKey(ResilienceContext context, string key)
    {
    }

    public abstract ValueTask<string> ExecuteAsync(string key, ResilienceContext context, Work work);

    public abstract ValueTask<Outcome<string>> ExecuteOutcomeAsync(string key, ResilienceContext context, Work work);
}
