using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Execution;

/// <summary>One caller's execution: what it runs, on which context.</summary>
/// <param name="Callback">The callback.</param>
/// <param name="Context">The caller's own context; only for the caller itself and whoever has claimed its wait (I6).</param>
/// <param name="State">Given to the callback.</param>
internal readonly record struct Call<TResult, TState>(
    Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> Callback, ResilienceContext Context, TState State)
{
    /// <summary>Runs the callback on the caller's context, so that it ends in an outcome however it fails.</summary>
    public ValueTask<Outcome<TResult>> RunAsync() => Outcomes.InvokeAsync(Callback, Context, State);

    /// <summary>Runs the callback on a context that no pipeline has begun with, which the empty pipeline makes ready.</summary>
    public ValueTask<Outcome<TResult>> RunOnAsync(ResilienceContext other) => ResiliencePipeline.Empty.ExecuteOutcomeAsync(Callback, other, State);
}
