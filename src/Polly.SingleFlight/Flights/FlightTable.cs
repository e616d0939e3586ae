using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>
/// All joinable flights of a group, in stripes by the hash of their key.
/// </summary>
/// <remarks>
/// The table is written here and not taken from a library for three reasons: the flight itself is the node, so an entry
/// costs no allocation; an entry is removed by reference and never by key (I1), also under a comparer that throws (I5);
/// and the lock that guards an entry guards the state of its flight, so that both change together (I2).
/// </remarks>
[DebuggerDisplay("{DebugText,nq}")]
[DebuggerTypeProxy(typeof(FlightTableDebugView))]
internal sealed class FlightTable
{
    private static readonly int s_stripeCount =
        (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(Environment.ProcessorCount * 4, 8, 64));

    private readonly IEqualityComparer<object> _comparer;
    private readonly FlightStripe[] _stripes;

    public FlightTable(IEqualityComparer<object>? comparer)
    {
        _comparer = comparer is null ? EqualityComparer<object>.Default : IntrinsicKey.Respecting(comparer);
        _stripes = new FlightStripe[s_stripeCount];
        for (var i = 0; i < _stripes.Length; i++)
        {
            _stripes[i] = new FlightStripe(_comparer);
        }
    }

    public int Count
    {
        get
        {
            var count = 0;
            foreach (var stripe in _stripes)
            {
                using (stripe.Gate.Enter())
                {
                    count += stripe.Count_NeedsLock;
                }
            }

            return count;
        }
    }

    /// <summary>The joinable flights as they are seen without the gates, for a debugger.</summary>
    public List<Flight> FlightsSeen
    {
        get
        {
            var seen = new List<Flight>();
            foreach (var stripe in _stripes)
            {
                stripe.AddSeen(seen);
            }

            return seen;
        }
    }

    /// <summary>Counts without the gates, since a debugger may have stopped the threads that are inside.</summary>
    private string DebugText
    {
        get
        {
            var count = 0;
            foreach (var stripe in _stripes)
            {
                count += stripe.CountSeen;
            }

            return $"joinable flights: {count}";
        }
    }

    /// <summary>The hash of a key, spread over all bits. Calls the comparer, and so foreign code: once per call, never under a lock.</summary>
    public int Hash(object key) => (int)System.Numerics.BitOperations.RotateLeft((uint)_comparer.GetHashCode(key) * 0x9E3779B1u, 15);

    public FlightStripe StripeOf(int hash) => _stripes[(hash >>> 24) & (_stripes.Length - 1)];

    public bool Forget(object key)
    {
        var hash = Hash(key);
        var stripe = StripeOf(hash);
        using (stripe.Gate.Enter())
        {
            var found = stripe.FindAll_NeedsLock(hash, key);
            foreach (var flight in found)
            {
                stripe.Remove_NeedsLock(flight);
            }

            return found.Count > 0;
        }
    }

    public void ForgetAll() => ForgetWhere(static (_, _) => true, 0);

    /// <summary>Forgets the flights that a condition chooses. It runs under a lock, so it must not be foreign code.</summary>
    public bool ForgetWhere<TArg>(Func<Flight, TArg, bool> condition, TArg arg)
    {
        var forgot = false;
        foreach (var stripe in _stripes)
        {
            using (stripe.Gate.Enter())
            {
                if (stripe.Count_NeedsLock == 0)
                {
                    continue;
                }

                foreach (var flight in stripe.All_NeedsLock())
                {
                    if (condition(flight, arg))
                    {
                        stripe.Remove_NeedsLock(flight);
                        forgot = true;
                    }
                }
            }
        }

        return forgot;
    }

    public bool Cancel(object key)
    {
        var hash = Hash(key);
        var stripe = StripeOf(hash);
        List<Flight> found;
        using (stripe.Gate.Enter())
        {
            found = stripe.FindAll_NeedsLock(hash, key);
        }

        var canceled = false;
        foreach (var flight in found)
        {
            canceled |= flight.CancelByGroup();
        }

        return canceled;
    }

    public IReadOnlyList<FlightSnapshot> GetFlights()
    {
        var seen = new List<(Flight Flight, FlightSnapshot Snapshot)>();
        foreach (var stripe in _stripes)
        {
            using (stripe.Gate.Enter())
            {
                foreach (var flight in stripe.All_NeedsLock())
                {
                    seen.Add((flight, new FlightSnapshot(flight.Key, flight.ResultType, flight.Waiters, TimeSpan.Zero)));
                }
            }
        }

        FlightClock.RequireExact();

        // Clocks are foreign code, so ages are read outside the locks.
        return seen.ConvertAll(static entry => entry.Snapshot with { Age = entry.Flight.Age });
    }
}
