namespace Polly.SingleFlight.Execution;

/// <summary>
/// What a strategy outside, such as a cache, has to do inside the flight: before the callback, when the flight is the one of its
/// key already, and after it, when nobody holds the outcome yet. So whoever starts a later flight finds what the earlier left.
/// </summary>
internal interface IInsideFlight
{
    /// <summary>The builder of the pipeline. Only a strategy of that same pipeline is meant, not one that the callback runs.</summary>
    object Builder { get; }

    /// <summary>Looks for an outcome that makes the callback unnecessary. Does not throw.</summary>
    ValueTask<Outcome<TResult>?> FindAsync<TResult>(ResilienceContext context);

    /// <summary>Keeps the outcome of the callback. Does not throw.</summary>
    ValueTask KeepAsync<TResult>(ResilienceContext context, Outcome<TResult> outcome);
}
