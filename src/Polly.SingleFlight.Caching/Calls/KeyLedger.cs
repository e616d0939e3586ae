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

    /// <summary>How many keys there are, for readers who look without the gate. Written under it.</summary>
    private volatile int _count;

    public int Count => _count;

    /// <summary>Notes a call that is about to begin. Dispose of the permit when its result is stored, or will not be.</summary>
    public Permit Begin(object storageKey)
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
            return permit;
        }
    }

    /// <summary>Takes the right to store from all calls of a key.</summary>
    public void Revoke(object storageKey)
    {
        Permit[] permits;
        lock (_gate)
        {
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
                && calls.Permits_NeedsLock.Exists(permit => permit.EntryId == entryId && !permit.IsValid);
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

    private static void Revoke(Permit[] permits)
    {
        foreach (var permit in permits)
        {
            permit.Revoke();
        }
    }
}
