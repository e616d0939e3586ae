namespace Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;

/// <summary>A strategy in which an execution is held before it goes on.</summary>
internal sealed class Hold(Func<Task> before) : ResilienceStrategy
{
    protected override async ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        await before();
        return await callback(context, state);
    }

    internal sealed class Options : ResilienceStrategyOptions;
}
