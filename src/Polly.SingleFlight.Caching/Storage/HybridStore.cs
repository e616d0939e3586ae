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
    private readonly HybridCacheEntryOptions _behind;
    private readonly string[]? _tags;

    /// <summary>Whether a distributed cache was seen to give back what was stored. Never unset.</summary>
    private volatile bool _hasDistributed;

    /// <param name="cache">The cache.</param>
    /// <param name="scope">The scope.</param>
    /// <param name="localLifetime">How long entries are in the memory of the process at most.</param>
    /// <param name="isTagged">Whether entries have the tag of the scope, also those that are copied into the memory of the process.</param>
    public HybridStore(HybridCache cache, string scope, TimeSpan? localLifetime, bool isTagged)
    {
        _cache = cache;
        _scope = scope;
        _localLifetime = localLifetime;
        _format = EntryFormats.Of(cache);
        var always = _format == EntryFormat.ByReference ? HybridCacheEntryFlags.DisableDistributedCache : HybridCacheEntryFlags.None;
        _local = Options(LookUp | HybridCacheEntryFlags.DisableDistributedCache);
        _any = Options(LookUp | HybridCacheEntryFlags.DisableDistributedCacheWrite | always);
        _behind = Options(LookUp | HybridCacheEntryFlags.DisableDistributedCacheWrite | HybridCacheEntryFlags.DisableLocalCache | always);
        _tags = isTagged ? [ScopeTag] : null;
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

    /// <summary>What is behind counts if it is newer. Where nothing is behind, or nothing of this key, the memory of the process is all there is.</summary>
    public override async ValueTask<CacheEntry<TResult>?> FindAsync<TResult>(object storageKey, bool pastLocal, CancellationToken cancellationToken)
    {
        var key = (string)storageKey;
        if (!pastLocal || _format == EntryFormat.ByReference)
        {
            return await FindAsync<TResult>(key, _any, cancellationToken).ConfigureAwait(false);
        }

        var behind = await FindAsync<TResult>(key, _behind, cancellationToken).ConfigureAwait(false);
        var local = await FindAsync<TResult>(key, _local, CancellationToken.None).ConfigureAwait(false);
        if (behind is null || (local is not null && !behind.Outdates(local.StartedAt)))
        {
            return local;
        }

        _hasDistributed = true;
        if (behind.Id != local?.Id)
        {
            await CopyAsync(key, behind).ConfigureAwait(false);
        }

        return behind;
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
        if (!_hasDistributed && (await FindAsync<TResult>((string)storageKey, _behind, cancellationToken).ConfigureAwait(false))?.Id == entry.Id)
        {
            _hasDistributed = true;
            await StoreLocalAsync(storageKey, entry, placement).ConfigureAwait(false);
        }
    }

    public override ValueTask RemoveAsync(object storageKey, CancellationToken cancellationToken) => _cache.RemoveAsync((string)storageKey, cancellationToken);

    public override async ValueTask EvictAsync<TResult>(
        object storageKey, DateTimeOffset upTo, DateTimeOffset now, TimeSpan markTime, CancellationToken cancellationToken)
    {
        if (_format == EntryFormat.ByReference)
        {
            await RemoveAsync(storageKey, cancellationToken).ConfigureAwait(false);
            return;
        }

        var mark = new CacheEntry<TResult> { IsEvicted = true, StartedAt = upTo, StoredAt = now, ExpiresAt = now + markTime, Id = Random.Shared.NextInt64(1, long.MaxValue) };
        await StoreAsync((string)storageKey, mark, new HybridCacheEntryOptions { Expiration = markTime }, tags: null, cancellationToken).ConfigureAwait(false);
        if (await FindAsync<TResult>(storageKey, pastLocal: true, cancellationToken).ConfigureAwait(false) is { IsEvicted: false } old && old.StartedAt <= upTo)
        {
            // The mark was not taken.
            await RemoveAsync(storageKey, cancellationToken).ConfigureAwait(false);
        }
    }

    public override async ValueTask TakeBackAsync<TResult>(object storageKey, long entryId, DateTimeOffset now)
    {
        var key = (string)storageKey;
        var local = await FindAsync<TResult>(key, _local, CancellationToken.None).ConfigureAwait(false);
        var behind = _format == EntryFormat.ByReference ? null : await FindAsync<TResult>(key, _behind, CancellationToken.None).ConfigureAwait(false);
        if (behind?.Id == entryId && local is not null && local.Id != entryId && local.ExpiresAt > now)
        {
            // A mark, or a newer entry, that was overwritten behind.
            await StoreAsync(
                key,
                local,
                new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableLocalCache, Expiration = local.ExpiresAt - now },
                _tags,
                CancellationToken.None).ConfigureAwait(false);
        }
        else if (local?.Id == entryId && behind is not null && behind.Id != entryId)
        {
            await CopyAsync(key, behind).ConfigureAwait(false);
        }
        else if (local?.Id == entryId || behind?.Id == entryId)
        {
            await RemoveAsync(storageKey, CancellationToken.None).ConfigureAwait(false);
        }
    }

    public override ValueTask RemoveAllAsync(CancellationToken cancellationToken) => _cache.RemoveByTagAsync(ScopeTag, cancellationToken);

    private static TimeSpan? Shorter(TimeSpan? limit, TimeSpan time) => limit is { } span && span < time ? span : limit is null ? null : time;

    /// <summary>Puts what was found behind into the memory of the process, for as long as the application wants copies to last.</summary>
    private ValueTask CopyAsync<TResult>(string key, CacheEntry<TResult> entry) => StoreAsync(
        key,
        entry,
        new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableDistributedCache, LocalCacheExpiration = _localLifetime },
        _tags,
        CancellationToken.None);

    private ValueTask<CacheEntry<TResult>?> FindAsync<TResult>(string key, HybridCacheEntryOptions options, CancellationToken cancellationToken)
    {
        var tags = options == _any ? _tags : null;
        if (_format == EntryFormat.ByReference || (_format == EntryFormat.Serialized && ImmutableResult<TResult>.IsImmutable))
        {
            var pending = _cache.GetOrCreateAsync<ImmutableCacheEntry<TResult>?>(key, static _ => default, options, tags, cancellationToken);
            return pending.IsCompletedSuccessfully ? new(pending.Result?.Entry) : AwaitAsync(pending);
        }

        EntrySerializers.Ensure<TResult>();
        return _cache.GetOrCreateAsync<CacheEntry<TResult>?>(key, static _ => default, options, tags, cancellationToken);

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
}
