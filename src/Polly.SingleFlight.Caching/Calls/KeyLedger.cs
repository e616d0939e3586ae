using System.Diagnostics;

namespace Polly.SingleFlight.Caching.Calls;

/// <summary>
/// The calls in the air of one strategy, by key: which of them were overtaken by an eviction, and in which order their results are stored. A key is in it
/// for as long as calls for it, or stores of their results, go on.
/// </summary>
internal sealed class KeyLedger
{
    private readonly object _gate = new();

    /// <summary>Guarded by the gate.</summary>
    private readonly Dictionary<object, KeyCalls> _keys = [];

    /// <summary>How many evictions there were, by the hash of the key. Guarded by the gate.</summary>
    private readonly long[] _evictions = new long[64];

    /// <summary>How many keys there are, for readers who look without the gate. Written under it.</summary>
    private volatile int _count;

    public int Count => _count;

    /// <summary>How many evictions there were, of this key or of one that shares its number. To be compared with, and given to <see cref="Begin"/>.</summary>
    public long EvictionsOf(object storageKey)
    {
        lock (_gate)
        {
            return EvictionsOf_NeedsLock(storageKey);
        }
    }

    /// <summary>Notes a call that is about to begin. Dispose of the permit when its result is stored, or will not be.</summary>
    /// <param name="storageKey">What its result is to be stored under.</param>
    /// <param name="evictions">How many evictions there were when the call began, if that was before now: after another the permit is lost.</param>
    public Permit Begin(object storageKey, long? evictions = null)
    {
        lock (_gate)
        {
            KeyCalls? calls;
            try
            {
                if (!_keys.TryGetValue(storageKey, out calls))
                {
                    _keys[storageKey] = calls = new KeyCalls(this, storageKey);
                    _count = _keys.Count;
                }
            }
            catch (Exception)
            {
                // Comparing keys is foreign code. A call whose key cannot be compared meets no other, and stores nothing that another would find.
                return new Permit(new KeyCalls(this, storageKey));
            }

            var permit = new Permit(calls);
            calls.Permits_NeedsLock.Add(permit);
            if (evictions is { } known && known != EvictionsOf_NeedsLock(storageKey))
            {
                permit.Revoke();
            }

            return permit;
        }
    }

    /// <summary>Takes the right to store from all calls of a key.</summary>
    public void Revoke(object storageKey)
    {
        Permit[] permits;
        lock (_gate)
        {
            _evictions[Number(storageKey)]++;
            permits = _keys.TryGetValue(storageKey, out var calls) ? [.. calls.Permits_NeedsLock] : [];
        }

        Revoke(permits);
    }

    /// <summary>Takes the right to store from all calls.</summary>
    public void RevokeAll()
    {
        Permit[] permits;
        lock (_gate)
        {
            for (var i = 0; i < _evictions.Length; i++)
            {
                _evictions[i]++;
            }

            permits = [.. _keys.Values.SelectMany(static calls => calls.Permits_NeedsLock)];
        }

        Revoke(permits);
    }

    /// <summary>Whether an entry is being stored by a call that has lost the right to.</summary>
    public bool IsRevoked(object storageKey, long entryId)
    {
        if (_count == 0)
        {
            return false;
        }

        lock (_gate)
        {
            return _keys.TryGetValue(storageKey, out var calls)
                && calls.Permits_NeedsLock.Any(permit => permit.EntryId == entryId && !permit.IsValid);
        }
    }

    public void End(Permit permit)
    {
        lock (_gate)
        {
            var calls = permit.Calls;
            if (!calls.Permits_NeedsLock.Remove(permit) || calls.Permits_NeedsLock.Count != 0)
            {
                return;
            }

            try
            {
                _keys.Remove(calls.StorageKey);
                _count = _keys.Count;
            }
            catch (Exception)
            {
                // A key that cannot be compared any more stays, without calls.
            }
        }
    }

    [Conditional("DEBUG")]
    public void AssertIsHeld() => Debug.Assert(Monitor.IsEntered(_gate), "The gate is held.");

    private long EvictionsOf_NeedsLock(object storageKey)
    {
        AssertIsHeld();
        try
        {
            return _evictions[Number(storageKey)];
        }
        catch (Exception)
        {
            // As in Begin.
            return 0;
        }
    }

    private int Number(object storageKey) => (int)((uint)storageKey.GetHashCode() % (uint)_evictions.Length);

    private static void Revoke(Permit[] permits)
    {
        foreach (var permit in permits)
        {
            permit.Revoke();
        }
    }
}
