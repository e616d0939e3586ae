namespace Polly.SingleFlight.Caching;

/// <summary>
/// What the callback for a hit is given.
/// </summary>
/// <typeparam name="TResult">The result type of the pipeline.</typeparam>
/// <param name="context">The context of the execution.</param>
/// <param name="result">The cached result.</param>
/// <param name="age">The time since the call for it had ended.</param>
/// <param name="isStale">Whether its lifetime is over and it is returned because the call failed.</param>
public readonly struct OnCacheHitArguments<TResult>(ResilienceContext context, TResult result, TimeSpan age, bool isStale)
{
    /// <summary>Gets the context of the execution.</summary>
    public ResilienceContext Context { get; } = context;

    /// <summary>Gets the cached result.</summary>
    public TResult Result { get; } = result;

    /// <summary>Gets the time since the call for the result had ended.</summary>
    public TimeSpan Age { get; } = age;

    /// <summary>Gets a value indicating whether the lifetime of the result is over and it is returned because the call failed.</summary>
    public bool IsStale { get; } = isStale;
}
