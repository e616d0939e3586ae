#if NET9_0_OR_GREATER
using Gate = System.Threading.Lock;
#else
using Gate = System.Object;
#endif

namespace Polly.SingleFlight.Flights;

/// <summary>
/// Which flight waits for which, across all groups: what turns "would wait for itself" from a hang into a bypass (S11).
/// </summary>
/// <remarks>
/// Only callers inside the callback of another flight come here, so the one lock is not on anybody else's path. An edge
/// is added under the lock together with the admission that causes it; otherwise two flows that cross (A wants B while B
/// wants A) could each miss the other's edge. Edges die by themselves when their wait is over.
/// </remarks>
internal static class WaitGraph
{
    private static readonly AsyncLocal<Flight?> s_current = new();

    public static Gate Gate { get; } = new();

    /// <summary>The innermost flight, not yet ended, inside whose callback the calling code runs.</summary>
    public static Flight? Current
    {
        get
        {
            var current = s_current.Value;
            return current is null || !current.HasEnded ? current : FirstNotEnded(current);
        }
    }

    /// <summary>Makes the flight the current one for what follows on this execution context, until the scope is left.</summary>
    public static Scope Enter(Flight flight)
    {
        var outer = s_current.Value;
        var before = ExecutionContext.Capture();
        s_current.Value = flight;
        return new Scope(outer, before, ExecutionContext.Capture());
    }

    /// <summary>Whether code of <paramref name="origin"/> that waited for <paramref name="wanted"/> would wait for itself.</summary>
    public static bool WouldDeadlock_NeedsLock(Flight wanted, in CallOrigin origin)
    {
        Gate.AssertIsHeld();
        if (origin.Includes(wanted))
        {
            return true;
        }

        if (wanted.Nesting?.Waits is null)
        {
            return false;
        }

        var seen = new HashSet<Flight> { wanted };
        var open = new Stack<Flight>();
        open.Push(wanted);
        while (open.TryPop(out var flight))
        {
            foreach (var wait in flight.Nesting?.Waits ?? [])
            {
                if (wait.Target is { } target && seen.Add(target))
                {
                    if (origin.Includes(target))
                    {
                        return true;
                    }

                    open.Push(target);
                }
            }
        }

        return false;
    }

    public static void AddEdge_NeedsLock(Flight from, IWait wait)
    {
        Gate.AssertIsHeld();
        var waits = (from.Nesting ??= new()).Waits ??= [];
        if (waits.Count == waits.Capacity)
        {
            waits.RemoveAll(static wait => wait.Target is null);
            if (waits.Count > waits.Capacity / 2)
            {
                // Else the next edges would all look through the list again.
                waits.EnsureCapacity(waits.Capacity * 2);
            }
        }

        waits.Add(wait);
    }

    /// <summary>
    /// Records inside which flights another was started. Ended flights are skipped and cut out of the chain, so that a
    /// flight that starts its own successor in the background does not hold all its predecessors in memory.
    /// </summary>
    public static void Nest_NeedsLock(Flight flight, in CallOrigin origin)
    {
        Gate.AssertIsHeld();
        (flight.Nesting ??= new()).Enclosing = origin.Innermost;
        for (var link = flight.Nesting; link is not null; link = link.Enclosing?.Nesting)
        {
            link.Enclosing = FirstNotEnded(link.Enclosing);
        }

        origin.AddEdges_NeedsLock(flight);
    }

    /// <summary>The flight, or if that has ended, the first that has not of those inside which it was started.</summary>
    public static Flight? FirstNotEnded(Flight? flight)
    {
        while (flight is { HasEnded: true })
        {
            flight = flight.Nesting?.Enclosing;
        }

        return flight;
    }

    /// <summary>A change of the current flight that can be undone.</summary>
    public readonly struct Scope(Flight? outer, ExecutionContext? before, ExecutionContext? within)
    {
        /// <summary>
        /// Undoes <see cref="Enter"/>, and nothing else that was done to the execution context meanwhile. When nothing else
        /// was done, the context of before is put back as it was, which allocates nothing.
        /// </summary>
        public void Leave()
        {
            if (before is not null && ReferenceEquals(ExecutionContext.Capture(), within))
            {
                ExecutionContext.Restore(before);
            }
            else
            {
                s_current.Value = outer;
            }
        }
    }
}
