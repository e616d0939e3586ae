namespace Polly.SingleFlight.Caching;

/// <summary>
/// What the callback for a miss is given.
/// </summary>
/// <param name="context">The context of the execution.</param>
public readonly struct OnCacheMissArguments(ResilienceContext context)
{
    /// <summary>Gets the context of the execution.</summary>
    public ResilienceContext Context { get; } = context;
}
