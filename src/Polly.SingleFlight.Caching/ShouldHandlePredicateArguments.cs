namespace Polly.SingleFlight.Caching;

/// <summary>
/// What the predicate of stale answers is given.
/// </summary>
/// <typeparam name="TResult">The result type of the pipeline.</typeparam>
/// <param name="context">The context of the execution.</param>
/// <param name="outcome">What the call ended in.</param>
public readonly struct ShouldHandlePredicateArguments<TResult>(ResilienceContext context, Outcome<TResult> outcome)
{
    /// <summary>Gets the context of the execution.</summary>
    public ResilienceContext Context { get; } = context;

    /// <summary>Gets what the call ended in.</summary>
    public Outcome<TResult> Outcome { get; } = outcome;
}
