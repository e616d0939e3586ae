using System.Collections.Concurrent;

namespace Polly.SingleFlight.Caching;

/// <summary>Evicts entries of one strategy, of whatever type of result they are.</summary>
internal sealed class Evictor<TResult> : IEvictor, IDisposable
{
    private readonly CacheParts<TResult> _parts;
    private readonly CacheManualControl? _control;

    /// <summary>By type of result: a pipeline can be asked for types derived from its own.</summary>
    private readonly ConcurrentDictionary<Type, TypeEvictor> _types = new();

    public Evictor(CacheParts<TResult> parts, CacheManualControl? control)
    {
        _parts = parts;
        _control = control;
        if (control is not null)
        {
            _types[typeof(TResult)] = new TypeEvictor<TResult>();
            control.Add(this);
        }
    }

    /// <summary>Notes that there may be entries of a type.</summary>
    public void Note<TActual>()
    {
        if (_control is not null && typeof(TActual) != typeof(TResult) && !_types.ContainsKey(typeof(TActual)))
        {
            _types.TryAdd(typeof(TActual), new TypeEvictor<TActual>());
        }
    }

    public async ValueTask<bool> EvictAsync(object key, CacheResult? seen, CancellationToken cancellationToken)
    {
        var evicted = false;
        foreach (var type in _types.Values)
        {
            evicted |= await type.EvictAsync(_parts, key, seen, cancellationToken).ConfigureAwait(false);
        }

        return evicted;
    }

    public async ValueTask EvictAllAsync(CancellationToken cancellationToken)
    {
        _parts.Ledger.RevokeAll();
        _parts.Evictions?.AddAll();
        await _parts.Store.RemoveAllAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _control?.Remove(this);

    private abstract class TypeEvictor
    {
        public abstract ValueTask<bool> EvictAsync(CacheParts<TResult> parts, object key, CacheResult? seen, CancellationToken cancellationToken);
    }

    private sealed class TypeEvictor<TActual> : TypeEvictor
    {
        public override async ValueTask<bool> EvictAsync(CacheParts<TResult> parts, object key, CacheResult? seen, CancellationToken cancellationToken)
        {
            var storageKey = parts.Store.StorageKey<TActual>(key);
            if (seen is not null)
            {
                return await EvictSeenAsync(parts, storageKey, seen, cancellationToken).ConfigureAwait(false);
            }

            // Before the entry is removed, so that none of them stores another afterwards.
            parts.Ledger.Revoke(storageKey);
            var now = parts.Now;
            var upTo = parts.Evictions?.AddNow(storageKey) ?? now;
            await parts.Store.EvictAsync<TActual>(storageKey, upTo, now, parts.RefreshTimeout, cancellationToken).ConfigureAwait(false);
            return true;
        }

        /// <summary>Takes its turn among the stores of the key, so that no newer entry comes between the look and the eviction.</summary>
        private static async ValueTask<bool> EvictSeenAsync(CacheParts<TResult> parts, object storageKey, CacheResult seen, CancellationToken cancellationToken)
        {
            using var permit = parts.Ledger.Begin(storageKey);
            using var timeout = new CancellationTokenSource(parts.StoreTimeout, parts.Clock);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            var hasTurn = await permit.Calls.TryEnterStoreAsync(limit.Token).ConfigureAwait(false);
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                var current = await parts.Store.FindAsync<TActual>(storageKey, pastLocal: true, cancellationToken).ConfigureAwait(false);
                if (current is null || current.IsEvicted || current.StartedAt > seen.StartedAt || (current.Id != seen.Id && current.StartedAt == seen.StartedAt))
                {
                    return false;
                }

                // Calls that began later than what was seen may store what they bring.
                parts.Evictions?.Add(storageKey, seen.StartedAt);
                await parts.Store.EvictAsync<TActual>(storageKey, seen.StartedAt, parts.Now, parts.RefreshTimeout, cancellationToken).ConfigureAwait(false);
                return true;
            }
            finally
            {
                if (hasTurn)
                {
                    permit.Calls.LeaveStore();
                }
            }
        }
    }
}
