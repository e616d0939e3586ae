using Polly.SingleFlight.Redis.Engine;

namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>
/// Ends a flight in Redis when a cache outside the local flight has stored its result, so that a node that leads the next one finds it there.
/// </summary>
/// <remarks>What stands between the local flight and this strategy may take its time, or try again. So the end comes after <see cref="Longest"/> in any case, and before the next
/// execution inside the same local flight.</remarks>
internal sealed class EndAfterStore : FlightInterceptor
{
    /// <summary>How long those who wait are held at most, by the clock of the pipeline.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private static readonly ResiliencePropertyKey<EndAfterStore?> s_property = new("Polly.SF.Redis.End");

    private readonly Lazy<Task<long?>> _end;
    private readonly ITimer _limit;

    private EndAfterStore(LedFlight led, TimeProvider clock, Func<Task<long?>> end)
        : base(led)
    {
        _end = new Lazy<Task<long?>>(end);
        _limit = Detached.CreateTimer(clock, static state => _ = ((EndAfterStore)state!).EndAsync(), this, Longest, System.Threading.Timeout.InfiniteTimeSpan);
    }

    /// <summary>Ends the flight when the local flight has stored its result, or says no.</summary>
    public static bool TryBegin(InterceptedFlight flight, LedFlight led, TimeProvider clock, ResilienceContext context, Func<Task<long?>> end)
    {
        var pending = new EndAfterStore(led, clock, end);
        if (!flight.TryAddInside(pending))
        {
            pending._limit.Dispose();
            return false;
        }

        context.Properties.Set(s_property, pending);
        return true;
    }

    /// <summary>Ends what an earlier execution with this context has left pending, so that the next does not wait for it.</summary>
    public static Task EndPendingAsync(ResilienceContext context)
    {
        if (!context.Properties.TryGetValue(s_property, out var pending) || pending is null)
        {
            return Task.CompletedTask;
        }

        context.Properties.Set(s_property, null);
        return pending.EndAsync();
    }

    public override bool IsFor<TResult>(ResiliencePipelineBuilderBase builder, object? key) => true;

    public override ValueTask<Outcome<TResult>?> BeforeCallbackAsync<TResult>(InterceptedFlight flight, ResilienceContext context) => default;

    public override async ValueTask AfterCallbackAsync<TResult>(InterceptedFlight flight, ResilienceContext context, Outcome<TResult> outcome)
    {
        context.Properties.Set(s_property, null);
        if (await EndAsync().ConfigureAwait(context.ContinueOnCapturedContext) is { } heldAt)
        {
            context.ExcludeJoinedAfter(heldAt);
        }
    }

    public override void OnLanded(InterceptedFlight flight) => _ = EndAsync();

    /// <summary>Ends the flight, once. Returns from when on a caller of another node may hold the outcome.</summary>
    private Task<long?> EndAsync()
    {
        _limit.Dispose();
        return _end.Value;
    }
}
