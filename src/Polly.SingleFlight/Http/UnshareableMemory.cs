#if NET9_0_OR_GREATER
using Gate = System.Threading.Lock;
#else
using Gate = System.Object;
#endif

namespace Polly.SingleFlight.Http;

/// <summary>
/// Remembers the keys whose responses could not be shared, so that their callers run alone at once. It holds at most <see cref="Capacity"/> keys
/// and forgets the least recently used first.
/// </summary>
internal sealed class UnshareableMemory(TimeSpan lifetime, TimeProvider clock)
{
    public const int Capacity = 1024;

    private readonly Gate _gate = new();

    /// <summary>Guarded by <see cref="_gate"/>, as <see cref="_byUse"/> is.</summary>
    private readonly Dictionary<object, LinkedListNode<Entry>> _entries = new(new Comparer());

    /// <summary>The entries, the most recently used first.</summary>
    private readonly LinkedList<Entry> _byUse = [];

    /// <summary>Written under <see cref="_gate"/>, read without.</summary>
    private volatile bool _isEmpty = true;

    public bool Contains(object key)
    {
        if (_isEmpty)
        {
            return false;
        }

        var now = clock.GetTimestamp();
        lock (_gate)
        {
            if (!_entries.TryGetValue(key, out var node))
            {
                return false;
            }

            _byUse.Remove(node);
            if (clock.GetElapsedTime(node.Value.Since, now) >= lifetime)
            {
                _entries.Remove(key);
                _isEmpty = _entries.Count == 0;
                return false;
            }

            _byUse.AddFirst(node);
            return true;
        }
    }

    /// <summary>Remembers a key; for one that was made from a request, its fingerprint.</summary>
    public void Add(object key)
    {
        key = key is HttpFlightKey live ? live.ToFingerprint() ?? key : key;
        if (lifetime == TimeSpan.Zero)
        {
            return;
        }

        var now = clock.GetTimestamp();
        lock (_gate)
        {
            if (_entries.Remove(key, out var known))
            {
                _byUse.Remove(known);
            }
            else if (_byUse.Count >= Capacity)
            {
                ForgetOldest();
            }

            _entries.Add(key, _byUse.AddFirst(new Entry(key, now)));
            _isEmpty = false;
        }
    }

    private void ForgetOldest()
    {
        if (_entries.Remove(_byUse.Last!.Value.Key))
        {
            _byUse.RemoveLast();
            return;
        }

        // A key of the user's whose equality has changed cannot be removed, so all entries are.
        _entries.Clear();
        _byUse.Clear();
    }

    private readonly record struct Entry(object Key, long Since);

    /// <summary>Finds a fingerprint by its key. The fingerprint of the key is made only where hashes are equal.</summary>
    private sealed class Comparer : IEqualityComparer<object>
    {
        public new bool Equals(object? x, object? y) => (x, y) switch
        {
            (HttpFlightKey live, HttpFingerprint known) => known.Equals(live.ToFingerprint()),
            (HttpFingerprint known, HttpFlightKey live) => known.Equals(live.ToFingerprint()),
            _ => object.Equals(x, y),
        };

        public int GetHashCode(object key) => key.GetHashCode();
    }
}
