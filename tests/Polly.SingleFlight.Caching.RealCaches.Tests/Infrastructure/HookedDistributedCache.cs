using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Distributed;

namespace Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;

/// <summary>The distributed cache of one node, which lets a test count, hold and fail what is done with entries of the strategy.</summary>
internal sealed class HookedDistributedCache(IBufferDistributedCache cache) : IBufferDistributedCache
{
    private int _reads;
    private int _writes;

    /// <summary>Awaited before an entry is read.</summary>
    public Func<string, CancellationToken, Task>? Reading { get; set; }

    /// <summary>Awaited before an entry is written.</summary>
    public Func<string, CancellationToken, Task>? Writing { get; set; }

    public int Reads => Volatile.Read(ref _reads);

    public int Writes => Volatile.Read(ref _writes);

    /// <summary>The keys that were written.</summary>
    public ConcurrentQueue<string> Written { get; } = new();

    public byte[]? Get(string key) => throw new NotSupportedException("Caches are asynchronous here.");

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => throw new NotSupportedException("Caches are asynchronous here.");

    public void Refresh(string key) => throw new NotSupportedException("Caches are asynchronous here.");

    public void Remove(string key) => throw new NotSupportedException("Caches are asynchronous here.");

    public bool TryGet(string key, IBufferWriter<byte> destination) => throw new NotSupportedException("Caches are asynchronous here.");

    public void Set(string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options) => throw new NotSupportedException("Caches are asynchronous here.");

    public Task RefreshAsync(string key, CancellationToken token = default) => cache.RefreshAsync(key, token);

    public Task RemoveAsync(string key, CancellationToken token = default) => cache.RemoveAsync(key, token);

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        await ReadAsync(key, token);
        return await cache.GetAsync(key, token);
    }

    public async ValueTask<bool> TryGetAsync(string key, IBufferWriter<byte> destination, CancellationToken token = default)
    {
        await ReadAsync(key, token);
        return await cache.TryGetAsync(key, destination, token);
    }

    public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        await WriteAsync(key, token);
        await cache.SetAsync(key, value, options, token);
    }

    public async ValueTask SetAsync(string key, ReadOnlySequence<byte> value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        await WriteAsync(key, token);
        await cache.SetAsync(key, value, options, token);
    }

    private Task ReadAsync(string key, CancellationToken token)
    {
        if (IsInternal(key))
        {
            return Task.CompletedTask;
        }

        Interlocked.Increment(ref _reads);
        return Reading?.Invoke(key, token) ?? Task.CompletedTask;
    }

    private Task WriteAsync(string key, CancellationToken token)
    {
        if (IsInternal(key))
        {
            return Task.CompletedTask;
        }

        Interlocked.Increment(ref _writes);
        Written.Enqueue(key);
        return Writing?.Invoke(key, token) ?? Task.CompletedTask;
    }

    /// <summary>What caches keep there for themselves, such as when a tag was removed.</summary>
    private static bool IsInternal(string key) => key.Contains("__", StringComparison.Ordinal);
}
