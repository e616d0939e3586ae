namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

internal sealed class Plain : ResilienceStrategyOptions;

/// <summary>A strategy that shows the test the context of each execution, and counts its disposal.</summary>
internal sealed class Observing(Action<ResilienceContext> see, Action? disposed = null) : ResilienceStrategy<HttpResponseMessage>, IDisposable
{
    public void Dispose() => disposed?.Invoke();

    protected override ValueTask<Outcome<HttpResponseMessage>> ExecuteCore<TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<HttpResponseMessage>>> callback, ResilienceContext context, TState state)
    {
        see(context);
        return callback(context, state);
    }
}
