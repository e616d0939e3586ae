namespace Polly.SingleFlight.Caching;

/// <summary>
/// A cached result with its times. Public because a <c>HybridCache</c> may have to serialize it: give the serializer of an
/// application that is compiled ahead of time this type.
/// </summary>
/// <typeparam name="TResult">The type of the result.</typeparam>
/// <param name="Value">The result.</param>
/// <param name="StoredAt">When the call for it had ended.</param>
/// <param name="ExpiresAt">When its lifetime is over.</param>
/// <param name="RefreshAt">From when on a hit has it refreshed; <see langword="null"/> for never.</param>
public sealed record CacheEntry<TResult>(TResult Value, DateTimeOffset StoredAt, DateTimeOffset ExpiresAt, DateTimeOffset? RefreshAt);
