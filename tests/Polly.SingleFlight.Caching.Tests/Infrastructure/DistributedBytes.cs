using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Distributed;

namespace Polly.SingleFlight.Caching.Tests.Infrastructure;

/// <summary>
/// A distributed cache on the test's clock that lets the test hold, count and fail what is done with entries. What the libraries keep there for
/// themselves, such as the times of tags, is neither held nor counted.
/// </summary>
internal sealed class DistributedBytes(TimeProvider clock) : IDistributedCache
{
    private static readonly string[] s_ofLibraries = ["__MSFT_HCT__", "__fc:"];

    private readonly ConcurrentDictionary<string, (byte[] Bytes, DateTimeOffset ExpiresAt)> _entries = new();
    private int _reads;
    private int _writes;

    /// <summary>Awaited before a lookup, with the token of the lookup. May fail, or never end.</summary>
    public Func<CancellationToken, Task>? LookingUp { get; set; }

    /// <summary>Awaited after an entry was looked up, with whether it was found, and before the cache is told.</summary>
    public Func<bool, Task>? LookedUp { get; set; }

    /// <summary>Awaited before an entry is stored, with the token of the store. May fail, or never end.</summary>
    public Func<CancellationToken, Task>? Storing { get; set; }

    public int Reads => Volatile.Read(ref _reads);

    public int Writes => Volatile.Read(ref _writes);

    public ICollection<string> Keys => [.. _entries.Keys.Where(IsEntry)];

    public ICollection<byte[]> Contents => [.. _entries.Where(entry => IsEntry(entry.Key)).Select(entry => entry.Value.Bytes)];

    /// <summary>Replaces what is stored by something that no serializer can read.</summary>
    public void Spoil(string key) => _entries[key] = ("neither JSON nor anything else"u8.ToArray(), DateTimeOffset.MaxValue);

    public byte[]? Get(string key) => GetAsync(key).GetAwaiter().GetResult();

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        if (!IsEntry(key))
        {
            return Find(key);
        }

        Interlocked.Increment(ref _reads);
        if (LookingUp is { } before)
        {
            await before(token);
        }

        var found = Find(key);
        if (LookedUp is { } after)
        {
            await after(found is not null);
        }

        return found;
    }

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => SetAsync(key, value, options).GetAwaiter().GetResult();

    public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        if (IsEntry(key))
        {
            Interlocked.Increment(ref _writes);
            if (Storing is { } before)
            {
                await before(token);
            }
        }

        token.ThrowIfCancellationRequested();
        var expiresAt = options.AbsoluteExpiration ?? clock.GetUtcNow() + options.AbsoluteExpirationRelativeToNow!.Value;
        _entries[key] = (value, expiresAt);
    }

    public void Remove(string key)
    {
        if (_entries.TryGetValue(key, out var entry))
        {
            _entries.TryRemove(new(key, entry));
        }
    }

    public Task RemoveAsync(string key, CancellationToken token = default)
    {
        Remove(key);
        return Task.CompletedTask;
    }

    public void Refresh(string key) => throw new NotSupportedException();

    public Task RefreshAsync(string key, CancellationToken token = default) => throw new NotSupportedException();

    private static bool IsEntry(string key) => !s_ofLibraries.Any(part => key.Contains(part, StringComparison.Ordinal));

    private byte[]? Find(string key) => _entries.TryGetValue(key, out var entry) && clock.GetUtcNow() < entry.ExpiresAt ? entry.Bytes : null;
}
