namespace Polly.SingleFlight.Caching;

/// <summary>
/// What a lifetime generator is given.
/// </summary>
/// <typeparam name="TResult">The result type of the pipeline.</typeparam>
/// <param name="context">The context of the execution.</param>
/// <param name="result">The result that is about to be stored.</param>
/// <param name="elapsed">The time since the call for it began.</param>
public readonly struct CacheLifetimeGeneratorArguments<TResult>(ResilienceContext context, TResult result, TimeSpan elapsed)
{
    /// <summary>Gets the context of the execution.</summary>
    public ResilienceContext Context { get; } = context;

    /// <summary>Gets the result that is about to be stored.</summary>
    public TResult Result { get; } = result;

    /// <summary>Gets the time since the call for the result began, for <see cref="CacheLifetime.FromExpiresIn(TimeSpan, TimeSpan)"/>.</summary>
    public TimeSpan Elapsed { get; } = elapsed;
}
