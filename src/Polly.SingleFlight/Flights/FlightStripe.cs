using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>
/// One stripe of a <see cref="FlightTable"/>: a chained hash table whose nodes are the flights, and the lock that guards
/// both the chains and the state of every flight of the stripe, joinable or not.
/// </summary>
internal sealed class FlightStripe(IEqualityComparer<object> comparer)
{
    private const int SmallestCapacity = 4;
    private const int CapacityKeptWhenEmpty = 256;

    /// <summary>How many numbers a stripe takes at a time, so that stripes do not contend for them.</summary>
    private const int IdsTaken = 256;

    private static long s_lastId;

    private long _lastId;
    private long _lastOfTaken;
    private Flight?[] _buckets = new Flight?[SmallestCapacity];

    public StripeGate Gate { get; } = new();

    public int Count_NeedsLock
    {
        get
        {
            Gate.AssertIsHeld();
            return CountSeen;
        }
    }

    /// <summary>The count as it is seen without the gate, for a debugger. Written under the gate.</summary>
    public int CountSeen { get; private set; }

    /// <summary>Adds the flights as they are seen without the gate, for a debugger. A flight that comes or goes meanwhile may be missing.</summary>
    public void AddSeen(List<Flight> seen)
    {
        foreach (var bucket in _buckets)
        {
            for (var flight = bucket; flight is not null; flight = flight.NextInBucket)
            {
                seen.Add(flight);
            }
        }
    }

    /// <summary>A number that no other flight of the process has, larger than those of the stripe before.</summary>
    public long NextId_NeedsLock()
    {
        Gate.AssertIsHeld();
        if (_lastId == _lastOfTaken)
        {
            _lastOfTaken = Interlocked.Add(ref s_lastId, IdsTaken);
            _lastId = _lastOfTaken - IdsTaken;
        }

        return ++_lastId;
    }

    /// <summary>The joinable flight of the key, result type and realm. Calls the comparer; when that throws, nothing has changed.</summary>
    public Flight<TResult>? Find_NeedsLock<TResult>(int hash, object key, object? realm)
    {
        Gate.AssertIsHeld();
        for (var flight = _buckets[hash & (_buckets.Length - 1)]; flight is not null; flight = flight.NextInBucket)
        {
            if (flight.Hash == hash
                && flight is Flight<TResult> typed
                && Equals(flight.Rules.Realm, realm)
                && comparer.Equals(flight.Key, key))
            {
                return typed;
            }
        }

        return null;
    }

    /// <summary>The joinable flights of the key, of any result type.</summary>
    public List<Flight> FindAll_NeedsLock(int hash, object key)
    {
        Gate.AssertIsHeld();
        var found = new List<Flight>();
        for (var flight = _buckets[hash & (_buckets.Length - 1)]; flight is not null; flight = flight.NextInBucket)
        {
            if (flight.Hash == hash && comparer.Equals(flight.Key, key))
            {
                found.Add(flight);
            }
        }

        return found;
    }

    public List<Flight> All_NeedsLock()
    {
        Gate.AssertIsHeld();
        var all = new List<Flight>(Count_NeedsLock);
        foreach (var bucket in _buckets)
        {
            for (var flight = bucket; flight is not null; flight = flight.NextInBucket)
            {
                all.Add(flight);
            }
        }

        return all;
    }

    public void Insert_NeedsLock(Flight flight)
    {
        Gate.AssertIsHeld();
        Debug.Assert(!flight.IsJoinable && !flight.IsClosed, "I1: a flight enters the table once, and open.");
        if (Count_NeedsLock >= _buckets.Length)
        {
            Resize_NeedsLock(_buckets.Length * 2);
        }

        Link_NeedsLock(flight);
        CountSeen++;
        flight.SetJoinable_NeedsLock(true);
    }

    /// <summary>Takes out this very flight, whatever else is in the table under an equal key (I1), without asking the comparer (I5).</summary>
    public void Remove_NeedsLock(Flight flight)
    {
        Gate.AssertIsHeld();
        if (!flight.IsJoinable)
        {
            return;
        }

        flight.SetJoinable_NeedsLock(false);
        ref var link = ref _buckets[flight.Hash & (_buckets.Length - 1)];
        while (!ReferenceEquals(link, flight))
        {
            Debug.Assert(link is not null, "I1: a joinable flight is in the table.");
            link = ref link!.NextInBucket;
        }

        link = flight.NextInBucket;
        flight.NextInBucket = null;
        if (--CountSeen == 0 && _buckets.Length > CapacityKeptWhenEmpty)
        {
            _buckets = new Flight?[SmallestCapacity];
        }
    }

    private void Link_NeedsLock(Flight flight)
    {
        Gate.AssertIsHeld();
        ref var bucket = ref _buckets[flight.Hash & (_buckets.Length - 1)];
        flight.NextInBucket = bucket;
        bucket = flight;
    }

    private void Resize_NeedsLock(int capacity)
    {
        Gate.AssertIsHeld();
        var all = All_NeedsLock();
        _buckets = new Flight?[capacity];
        foreach (var flight in all)
        {
            Link_NeedsLock(flight);
        }
    }
}
