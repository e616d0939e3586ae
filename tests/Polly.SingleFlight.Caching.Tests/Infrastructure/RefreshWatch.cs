using System.Collections.Concurrent;

namespace Polly.SingleFlight.Caching.Tests.Infrastructure;

/// <summary>
/// Right inside the cache, knows a refresh by its context, which is no caller's, and notes violations of what the soak expects.
/// </summary>
internal sealed class RefreshWatch : ResilienceStrategy
{
    private static readonly ResiliencePropertyKey<ResilienceContext?> s_caller = new("caller");

    private readonly ConcurrentDictionary<object, int> _running = new();
    private int _refreshes;

    public ConcurrentQueue<string> Violations { get; } = new();

    public int Refreshes => Volatile.Read(ref _refreshes);

    /// <summary>Notes in the context of a caller that it is one.</summary>
    public static void MarkCaller(ResilienceContext context) => context.Properties.Set(s_caller, context);

    public void Check(bool holds, string violation)
    {
        if (!holds)
        {
            Violations.Enqueue(violation);
        }
    }

    /// <summary>Waits until no refresh is queued or running.</summary>
    public async Task Ended()
    {
        do
        {
            await CacheTest.PoolReached();
        }
        while (_running.Values.Any(static running => running > 0));
    }

    protected override async ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        if (context.Properties.GetValue(s_caller, null) == context)
        {
            return await callback(context, state);
        }

        var key = context.GetSingleFlightKey()!;
        Interlocked.Increment(ref _refreshes);
        Check(_running.AddOrUpdate(key, 1, static (_, running) => running + 1) == 1, $"two refreshes of {key} at a time");
        try
        {
            return await callback(context, state);
        }
        finally
        {
            _running.AddOrUpdate(key, 0, static (_, running) => running - 1);
        }
    }

    internal sealed class Options : ResilienceStrategyOptions;
}
