namespace Polly.SingleFlight.Caching;

/// <summary>
/// What the predicate of caching is given.
/// </summary>
/// <typeparam name="TResult">The result type of the pipeline.</typeparam>
/// <param name="context">The context of the execution.</param>
/// <param name="outcome">The outcome, which is a result: exceptions are never cached.</param>
public readonly struct ShouldCachePredicateArguments<TResult>(ResilienceContext context, Outcome<TResult> outcome)
{
    /// <summary>Gets the context of the execution.</summary>
    public ResilienceContext Context { get; } = context;

    /// <summary>Gets the outcome, which is a result: exceptions are never cached.</summary>
    public Outcome<TResult> Outcome { get; } = outcome;
}
