using System.Collections.Concurrent;

namespace Polly.SingleFlight.Soak;

/// <summary>What the oracle knows about one key of an arena.</summary>
internal sealed class KeyState
{
    private readonly ConcurrentDictionary<(ResultKind Kind, object? Rules), Execution> _latest = new();
    private long _forgotten;
    private long _entered;
    private long _left;

    public Occurrence Cancels { get; } = new();

    public Occurrence Forgets { get; } = new();

    /// <summary>Nobody who enters from now on may receive what had started before this moment.</summary>
    public long Forgotten => Volatile.Read(ref _forgotten);

    /// <summary>How many callers have entered so far, of any result type.</summary>
    public long Entered => Volatile.Read(ref _entered);

    /// <summary>How many of them have returned.</summary>
    public long Left => Volatile.Read(ref _left);

    public void Enter() => Interlocked.Increment(ref _entered);

    public void Leave() => Interlocked.Increment(ref _left);

    public void NoteForgotten(long begin) => Atomic.Max(ref _forgotten, begin);

    /// <summary>
    /// Makes this the latest execution, and has it and the one before know of each other if both run. Callbacks may begin
    /// in another order than their flights, so it is the flights' numbers that say which is the older.
    /// </summary>
    public void Begin(Execution execution, ResultKind kind)
    {
        Execution? other = null;
        _latest.AddOrUpdate((kind, execution.Call.Lane.Rules), execution, (_, before) =>
        {
            other = before;
            return execution;
        });
        if (other is null or { HasEnded: true })
        {
            return;
        }

        if (execution.FlightId == 0)
        {
            other.Rival = execution;
            execution.Rival = other;
        }
        else if (other.FlightId < execution.FlightId)
        {
            Overtake(other, execution);
        }
        else
        {
            Overtake(execution, other);
        }
    }

    /// <summary>What still runs, as far as it is known.</summary>
    public IEnumerable<Execution> Running => _latest.Values.Where(static execution => !execution.HasEnded);

    private void Overtake(Execution older, Execution younger)
    {
        // The older flight is at most as old as its leader's call. A third one, that began in between and has gone, may
        // have superseded it through any of the pipelines.
        var arena = younger.Call.Arena;
        var age = arena.Clock.GetTimestamp() - older.Call.EnteredClock;
        older.Overtake(
            younger.StartSequence, hasReason: age > arena.ShortestJoinAge || Forgets.HappenedSince(older.Call.Entered));
    }

    public void Clear() => _latest.Clear();
}
