using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>One way of making a call. Those outside Polly need no context and get none.</summary>
internal abstract class Contestant(string name)
{
    public string Name => name;

    /// <summary>Gets what the caller of a pipeline brings: a rented context, with the key where this contestant looks for it.</summary>
    public virtual ResilienceContext? Rent(string key, CancellationToken token) => null;

    public virtual void Return(ResilienceContext? context)
    {
    }

    public abstract ValueTask<string> ExecuteAsync(string key, ResilienceContext? context, Work work, CancellationToken token);

    /// <summary>Removes the result of earlier calls, where the contestant stores it.</summary>
    public virtual void Forget(string key)
    {
    }
}
