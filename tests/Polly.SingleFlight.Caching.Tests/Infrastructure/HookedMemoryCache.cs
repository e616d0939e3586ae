namespace Polly.SingleFlight.Caching.Tests.Infrastructure;

/// <summary>A memory cache on the test's clock that lets the test hold, count and fail what is done with it.</summary>
internal sealed class HookedMemoryCache(TimeProvider clock) : IMemoryCache
{
    private readonly MemoryCache _cache = new(new MemoryCacheOptions { Clock = new CacheClock(clock) });

    /// <summary>Runs before an entry is looked up.</summary>
    public Action? LookingUp { get; set; }

    /// <summary>Runs after an entry was looked up, with whether it was found, and before the strategy is told.</summary>
    public Action<bool>? LookedUp { get; set; }

    /// <summary>Runs before an entry is stored.</summary>
    public Action? Storing { get; set; }

    public int Count => _cache.Count;

    public IEnumerable<object> Keys => _cache.Keys;

    public bool TryGetValue(object key, out object? value)
    {
        LookingUp?.Invoke();
        var found = _cache.TryGetValue(key, out value);
        LookedUp?.Invoke(found);
        return found;
    }

    public ICacheEntry CreateEntry(object key)
    {
        Storing?.Invoke();
        return _cache.CreateEntry(key);
    }

    public void Remove(object key) => _cache.Remove(key);

    public void Clear() => _cache.Clear();

    public void Dispose() => _cache.Dispose();
}
