namespace Polly.SingleFlight.Caching;

/// <summary>
/// What the callback for a background refresh that has ended is given.
/// </summary>
/// <typeparam name="TResult">The result type of the pipeline.</typeparam>
/// <param name="context">The context of the refresh, which no caller has.</param>
/// <param name="outcome">What the refresh ended in. After an exception the old result stays until its lifetime is over.</param>
public readonly struct OnCacheRefreshArguments<TResult>(ResilienceContext context, Outcome<TResult> outcome)
{
    /// <summary>Gets the context of the refresh, which no caller has.</summary>
    public ResilienceContext Context { get; } = context;

    /// <summary>Gets what the refresh ended in.</summary>
    public Outcome<TResult> Outcome { get; } = outcome;
}
