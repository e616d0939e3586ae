using System.Collections.Concurrent;

namespace Polly.SingleFlight.Tests.Interception;

/// <summary>An interceptor that notes what is called on it, and does what the test says.</summary>
internal sealed class RecordingInterceptor(object identity, ConcurrentQueue<string> log, string name = "own") : FlightInterceptor(identity)
{
    public Func<ResiliencePipelineBuilderBase, object?, bool> Applies { get; init; } = static (_, _) => true;

    public Action Following { get; init; } = static () => { };

    public Func<InterceptedFlight, Task<object?>> Before { get; init; } = static _ => Task.FromResult<object?>(null);

    public Func<InterceptedFlight, ResilienceContext, object?, Task> After { get; init; } = static (_, _, _) => Task.CompletedTask;

    public Action Landed { get; init; } = static () => { };

    public override bool IsFor<TResult>(ResiliencePipelineBuilderBase builder, object? key) => Applies(builder, key);

    public override void OnFollowing()
    {
        Note("following");
        Following();
    }

    public override async ValueTask<Outcome<TResult>?> BeforeCallbackAsync<TResult>(InterceptedFlight flight, ResilienceContext context)
    {
        Note("before");
        return await Before(flight) is TResult result ? Outcome.FromResult(result) : null;
    }

    public override async ValueTask AfterCallbackAsync<TResult>(InterceptedFlight flight, ResilienceContext context, Outcome<TResult> outcome)
    {
        Note("after " + (outcome.Exception?.GetType().Name ?? outcome.Result?.ToString()));
        await After(flight, context, outcome.Exception is null ? outcome.Result : outcome.Exception);
    }

    public override void OnLanded(InterceptedFlight flight) => Landed();

    private void Note(string what) => log.Enqueue($"{name}: {what}");
}
