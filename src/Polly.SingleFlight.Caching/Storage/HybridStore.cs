using Microsoft.Extensions.Caching.Hybrid;
using Polly.SingleFlight.Caching.Serialization;

namespace Polly.SingleFlight.Caching.Storage;

/// <summary>A <see cref="HybridCache"/>, with whatever is behind it.</summary>
internal sealed class HybridStore : CacheStore
{
    private const HybridCacheEntryFlags LookUp = HybridCacheEntryFlags.DisableUnderlyingData;

    private readonly HybridCache _cache;
    private readonly string _scope;
    private readonly EntryFormat _format;
    private readonly TimeSpan? _localLifetime;

    private readonly HybridCacheEntryOptions _local;
    private readonly HybridCacheEntryOptions _any;
    private readonly HybridCacheEntryOptions _pastLocal;

    /// <summary>Whether a distributed cache was seen to give back what was stored. Never unset.</summary>
    private volatile bool _hasDistributed;

    public HybridStore(HybridCache cache, string scope, TimeSpan? localLifetime)
    {
        _cache = cache;
        _scope = scope;
        _localLifetime = localLifetime;
        _format = EntryFormats.Of(cache);
        var always = _format == EntryFormat.ByReference ? HybridCacheEntryFlags.DisableDistributedCache : HybridCacheEntryFlags.None;
        _local = Options(LookUp | HybridCacheEntryFlags.DisableDistributedCache);
        _any = Options(LookUp | HybridCacheEntryFlags.DisableDistributedCacheWrite | always);
        _pastLocal = Options(LookUp | HybridCacheEntryFlags.DisableDistributedCacheWrite | HybridCacheEntryFlags.DisableLocalCacheRead | always);
        Identity = (cache, scope);

        HybridCacheEntryOptions Options(HybridCacheEntryFlags flags) => new() { Flags = flags, LocalCacheExpiration = localLifetime };
    }

    public override object Identity { get; }

    public override bool IsShared => _format != EntryFormat.ByReference;

    /// <summary>Whether the serializers that leave results to their own are missing where they are needed.</summary>
    public bool MissesSerializers => _format is EntryFormat.ByReference or EntryFormat.Json;

    /// <summary>The tag of all entries of the scope.</summary>
    public string ScopeTag => "Polly.SingleFlight|" + _scope;

    public override object StorageKey<TResult>(object key) => KeyText.StorageKey(TypePrefix<TResult>.Of(_scope), key);

    public override CacheEntry<TResult>? FindLocal<TResult>(object key)
    {
        var pending = FindAsync<TResult>((string)StorageKey<TResult>(key), _local, CancellationToken.None);
        if (pending.IsCompletedSuccessfully)
        {
            return pending.Result;
        }

        _ = ObserveAsync(pending);
        return null;

        static async Task ObserveAsync(ValueTask<CacheEntry<TResult>?> pending)
        {
            try
            {
                await pending.ConfigureAwait(false);
            }
            catch (Exception)
            {
                // The look-up that follows meets it again.
            }
        }
    }

    /// <summary>Of what the memory of the process and the distributed cache have the later one counts; there may be no distributed cache, and one may be late.</summary>
    public override async ValueTask<CacheEntry<TResult>?> FindAsync<TResult>(object storageKey, bool pastLocal, CancellationToken cancellationToken)
    {
        var key = (string)storageKey;
        if (!pastLocal)
        {
            return await FindAsync<TResult>(key, _any, cancellationToken).ConfigureAwait(false);
        }

        // The local one first, since looking past it replaces it.
        var local = await FindAsync<TResult>(key, _local, CancellationToken.None).ConfigureAwait(false);
        var shared = await FindAsync<TResult>(key, _pastLocal, cancellationToken).ConfigureAwait(false);
        return shared is null || local?.StartedAt > shared.StartedAt ? local : shared;
    }

    /// <summary>Where there is a distributed cache, the memory of the process is a copy of it, and how long it lasts is the application's decision.</summary>
    public override ValueTask StoreLocalAsync<TResult>(object storageKey, CacheEntry<TResult> entry, in Placement placement) =>
        StoreAsync((string)storageKey, entry, new HybridCacheEntryOptions
        {
            Flags = HybridCacheEntryFlags.DisableDistributedCache,
            Expiration = _hasDistributed ? null : placement.Time,
            LocalCacheExpiration = Shorter(_localLifetime, placement.Time),
        }, placement.Tags, CancellationToken.None);

    public override async ValueTask StoreSharedAsync<TResult>(
        object storageKey, CacheEntry<TResult> entry, Placement placement, CancellationToken cancellationToken)
    {
        if (_format == EntryFormat.ByReference)
        {
            return;
        }

        await StoreAsync((string)storageKey, entry, new HybridCacheEntryOptions
        {
            Flags = HybridCacheEntryFlags.DisableLocalCache,
            Expiration = placement.Time,
        }, placement.Tags, cancellationToken).ConfigureAwait(false);
        if (!_hasDistributed && await FindAsync<TResult>((string)storageKey, _pastLocal, cancellationToken).ConfigureAwait(false) is { } found && found.Id == entry.Id)
        {
            _hasDistributed = true;
            await StoreLocalAsync(storageKey, entry, placement).ConfigureAwait(false);
        }
    }

    public override ValueTask RemoveAsync(object storageKey, CancellationToken cancellationToken) => _cache.RemoveAsync((string)storageKey, cancellationToken);

    public override async ValueTask EvictAsync<TResult>(object storageKey, DateTimeOffset now, TimeSpan markTime, CancellationToken cancellationToken)
    {
        if (_format == EntryFormat.ByReference)
        {
            await RemoveAsync(storageKey, cancellationToken).ConfigureAwait(false);
            return;
        }

        var mark = new CacheEntry<TResult> { IsEvicted = true, StartedAt = now, StoredAt = now, ExpiresAt = now + markTime, Id = Random.Shared.NextInt64(1, long.MaxValue) };
        await StoreAsync((string)storageKey, mark, new HybridCacheEntryOptions { Expiration = markTime }, tags: null, cancellationToken).ConfigureAwait(false);
        if (await FindAsync<TResult>(storageKey, pastLocal: true, cancellationToken).ConfigureAwait(false) is { IsEvicted: false } old && old.StartedAt <= now)
        {
            // The mark was not taken.
            await RemoveAsync(storageKey, cancellationToken).ConfigureAwait(false);
        }
    }

    public override ValueTask RemoveAllAsync(CancellationToken cancellationToken) => _cache.RemoveByTagAsync(ScopeTag, cancellationToken);

    private static TimeSpan? Shorter(TimeSpan? limit, TimeSpan time) => limit is { } span && span < time ? span : limit is null ? null : time;

    private ValueTask<CacheEntry<TResult>?> FindAsync<TResult>(string key, HybridCacheEntryOptions options, CancellationToken cancellationToken)
    {
        if (_format == EntryFormat.ByReference || (_format == EntryFormat.Serialized && ImmutableResult<TResult>.IsImmutable))
        {
            var pending = _cache.GetOrCreateAsync<ImmutableCacheEntry<TResult>?>(key, static _ => default, options, cancellationToken: cancellationToken);
            return pending.IsCompletedSuccessfully ? new(pending.Result?.Entry) : AwaitAsync(pending);
        }

        EntrySerializers.Ensure<TResult>();
        return _cache.GetOrCreateAsync<CacheEntry<TResult>?>(key, static _ => default, options, cancellationToken: cancellationToken);

        static async ValueTask<CacheEntry<TResult>?> AwaitAsync(ValueTask<ImmutableCacheEntry<TResult>?> pending) =>
            (await pending.ConfigureAwait(false))?.Entry;
    }

    private ValueTask StoreAsync<TResult>(
        string key, CacheEntry<TResult> entry, HybridCacheEntryOptions options, IEnumerable<string>? tags, CancellationToken cancellationToken)
    {
        EntrySerializers.Ensure<TResult>();
        return _format == EntryFormat.ByReference || (_format == EntryFormat.Serialized && ImmutableResult<TResult>.IsImmutable)
            ? _cache.SetAsync(key, new ImmutableCacheEntry<TResult>(entry), options, tags, cancellationToken)
            : _cache.SetAsync(key, entry, options, tags, cancellationToken);
    }

    /// <summary>The beginning of the keys of one result type, made once.</summary>
    private static class TypePrefix<TResult>
    {
        private static (string Scope, string Prefix)? s_last;

        public static string Of(string scope)
        {
            if (s_last is { } last && (object)last.Scope == scope)
            {
                return last.Prefix;
            }

            var prefix = $"{scope}|{typeof(TResult)}|";
            s_last = (scope, prefix);
            return prefix;
        }
    }
}
