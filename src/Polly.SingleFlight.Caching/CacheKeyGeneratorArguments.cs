namespace Polly.SingleFlight.Caching;

/// <summary>
/// What a cache key generator is given.
/// </summary>
/// <param name="context">The context of the execution.</param>
public readonly struct CacheKeyGeneratorArguments(ResilienceContext context)
{
    /// <summary>Gets the context of the execution.</summary>
    public ResilienceContext Context { get; } = context;
}
