namespace Polly.SingleFlight.Caching;

/// <summary>What a look-up found.</summary>
/// <param name="Entry">The entry, or null.</param>
/// <param name="HasFailed">Whether there may be one all the same, since the cache threw or was late.</param>
internal readonly record struct Found<TResult>(CacheEntry<TResult>? Entry, bool HasFailed);
