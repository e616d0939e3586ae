using System.Diagnostics;
using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight;

/// <summary>
/// A namespace of keys. Pipelines whose options name the same group coalesce with each other, and the group survives
/// pipeline reloads; it is also the handle by which flights are inspected, forgotten and cancelled.
/// </summary>
/// <remarks>
/// All members are safe to call from any thread. They see joinable flights only: a flight that was forgotten, or
/// superseded because of <see cref="SingleFlightStrategyOptions.MaxJoinAge"/>, keeps its callers but is no longer seen.
/// </remarks>
[DebuggerDisplay("{Table}")]
[DebuggerTypeProxy(typeof(SingleFlightGroupDebugView))]
public sealed class SingleFlightGroup
{
    /// <summary>
    /// Initializes a new instance of the <see cref="SingleFlightGroup"/> class.
    /// </summary>
    /// <param name="keyComparer">
    /// Decides which keys are equal; <see langword="null"/>, the default, means <see cref="object.Equals(object)"/>. It runs
    /// under a lock of the group, so it must be fast and must not call back into the group.
    /// </param>
    public SingleFlightGroup(IEqualityComparer<object>? keyComparer = null) => Table = new FlightTable(keyComparer);

    /// <summary>
    /// Gets the number of joinable flights.
    /// </summary>
    public int ActiveFlights => Table.Count;

    internal FlightTable Table { get; }

    /// <summary>
    /// Makes newcomers with this key start afresh. Callers already waiting are unaffected.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <returns><see langword="true"/> if there was a flight of that key, of any result type.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is <see langword="null"/>.</exception>
    public bool Forget(object key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Table.Forget(key);
    }

    /// <summary>
    /// Makes newcomers of every key start afresh. Callers already waiting are unaffected.
    /// </summary>
    public void ForgetAll() => Table.ForgetAll();

    /// <summary>
    /// Ends the flights of this key, of any result type: their callers get a <see cref="FlightCanceledException"/> and the
    /// token of their callback is cancelled.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <returns><see langword="true"/> if there was such a flight.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is <see langword="null"/>.</exception>
    /// <remarks>
    /// A leader whose callback is still running synchronously on the leader's own thread gets the exception as soon as
    /// the callback yields or ends.
    /// </remarks>
    public bool Cancel(object key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Table.Cancel(key);
    }

    /// <summary>
    /// Gets a snapshot of every joinable flight. Different flights may be seen at slightly different moments.
    /// </summary>
    /// <returns>The snapshots, in no particular order.</returns>
    public IReadOnlyList<FlightSnapshot> GetFlights() => Table.GetFlights();
}
