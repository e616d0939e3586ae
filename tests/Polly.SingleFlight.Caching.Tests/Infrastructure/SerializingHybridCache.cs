using System.Collections.Concurrent;
using System.Text.Json;

namespace Polly.SingleFlight.Caching.Tests.Infrastructure;

/// <summary>A hybrid cache that keeps nothing but bytes, as a distributed one does, and hands out a new object each time.</summary>
internal sealed class SerializingHybridCache(TimeProvider clock) : HybridCache
{
    private readonly ConcurrentDictionary<string, (byte[] Bytes, DateTimeOffset ExpiresAt)> _entries = new();

    /// <summary>Awaited before a lookup, with the token of the lookup.</summary>
    public Func<CancellationToken, Task>? LookingUp { get; set; }

    /// <summary>Awaited after an entry was looked up, with whether it was found, and before the strategy is told.</summary>
    public Func<bool, Task>? LookedUp { get; set; }

    /// <summary>Awaited before an entry is stored.</summary>
    public Func<CancellationToken, Task>? Storing { get; set; }

    public ICollection<string> Keys => _entries.Keys;

    public ICollection<byte[]> Contents => [.. _entries.Values.Select(entry => entry.Bytes)];

    public void Spoil(string key) => _entries[key] = ("not json"u8.ToArray(), DateTimeOffset.MaxValue);

    public override async ValueTask<T> GetOrCreateAsync<TState, T>(
        string key,
        TState state,
        Func<TState, CancellationToken, ValueTask<T>> factory,
        HybridCacheEntryOptions? options = null,
        IEnumerable<string>? tags = null,
        CancellationToken cancellationToken = default)
    {
        if (LookingUp is { } hook)
        {
            await hook(cancellationToken);
        }

        cancellationToken.ThrowIfCancellationRequested();
        var found = _entries.TryGetValue(key, out var entry) && clock.GetUtcNow() < entry.ExpiresAt;
        if (LookedUp is { } afterwards)
        {
            await afterwards(found);
        }

        if (found)
        {
            return JsonSerializer.Deserialize<T>(entry.Bytes)!;
        }

        // A lookup makes nothing and stores nothing.
        Assert.True(options!.Flags!.Value.HasFlag(HybridCacheEntryFlags.DisableUnderlyingData));
        return default!;
    }

    public override async ValueTask SetAsync<T>(
        string key,
        T value,
        HybridCacheEntryOptions? options = null,
        IEnumerable<string>? tags = null,
        CancellationToken cancellationToken = default)
    {
        if (Storing is { } hook)
        {
            await hook(cancellationToken);
        }

        // Added up as a cache adds it up: a time that is too long throws.
        _entries[key] = (JsonSerializer.SerializeToUtf8Bytes(value), clock.GetUtcNow() + options!.Expiration!.Value);
    }

    public override ValueTask RemoveAsync(string key, CancellationToken cancellationToken = default)
    {
        if (_entries.TryGetValue(key, out var entry))
        {
            _entries.TryRemove(new(key, entry));
        }

        return default;
    }

    public override ValueTask RemoveByTagAsync(string tag, CancellationToken cancellationToken = default) => default;
}
