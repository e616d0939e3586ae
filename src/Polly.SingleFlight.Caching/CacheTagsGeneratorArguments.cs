namespace Polly.SingleFlight.Caching;

/// <summary>
/// What a tags generator is given.
/// </summary>
/// <typeparam name="TResult">The result type of the pipeline.</typeparam>
/// <param name="context">The context of the execution.</param>
/// <param name="key">The key of the entry.</param>
/// <param name="result">The result that is about to be stored.</param>
public readonly struct CacheTagsGeneratorArguments<TResult>(ResilienceContext context, object key, TResult result)
{
    /// <summary>Gets the context of the execution.</summary>
    public ResilienceContext Context { get; } = context;

    /// <summary>Gets the key of the entry.</summary>
    public object Key { get; } = key;

    /// <summary>Gets the result that is about to be stored.</summary>
    public TResult Result { get; } = result;
}
