namespace Polly.SingleFlight.Soak;

/// <summary>One run of a callback, and everything the oracle has learned about its outcome.</summary>
internal sealed class Execution(Call call, int id, bool isAlone, long startSequence, long startClock)
{
    private long _firstReceived;
    private long _lastEntry;
    private long _overtaken;
    private int _callerCount;
    private int _shareAsked;
    private Execution? _rival;
    private volatile bool _wasOvertakenForNothing;
    private volatile bool _hasEnded;
    private volatile bool _isUnshared;

    public int Id { get; } = id;

    /// <summary>Whose callback it is.</summary>
    public Call Call { get; } = call;

    /// <summary>Whether it ran on its caller's own context, so not as a flight.</summary>
    public bool IsAlone { get; } = isAlone;

    public long StartSequence { get; } = startSequence;

    public long StartClock { get; } = startClock;

    /// <summary>The flight's number as its leader was told, or zero where nobody is told.</summary>
    public long FlightId { get; init; }

    /// <summary>Whether the flight's token had fired when the callback ended.</summary>
    public bool WasCanceled { get; set; }

    /// <summary>Whether its caller had returned when the callback ended.</summary>
    public bool WasLeft { get; set; }

    /// <summary>The call that the callback is making, for the list of those that hang.</summary>
    public Call? Calling { get; set; }

    public bool HasEnded
    {
        get => _hasEnded;
        set => _hasEnded = value;
    }

    /// <summary>Whether the predicate has said that the outcome is for the leader alone.</summary>
    public bool IsUnshared
    {
        get => _isUnshared;
        set => _isUnshared = value;
    }

    /// <summary>Another execution of its key and type that ran at the same time, where nobody knows which flight is the older.</summary>
    public Execution? Rival
    {
        get => Volatile.Read(ref _rival);
        set => Volatile.Write(ref _rival, value);
    }

    public bool WasReceived => Volatile.Read(ref _firstReceived) != 0;

    public int ShareAsked => Volatile.Read(ref _shareAsked);

    /// <summary>When the execution of a younger flight of its key and type was started while it ran; zero for never.</summary>
    public long Overtaken => Volatile.Read(ref _overtaken);

    /// <summary>Whether the younger flight had been started although nothing kept its leader from joining this one.</summary>
    public bool WasOvertakenForNothing => _wasOvertakenForNothing;

    public void Overtake(long sequence, bool hasReason)
    {
        _wasOvertakenForNothing |= !hasReason;
        Volatile.Write(ref _overtaken, sequence);
    }

    public int AskToShare() => Interlocked.Increment(ref _shareAsked);

    /// <summary>Notes a receiver; false when some receiver entered after another had received.</summary>
    public bool TryReceive(long entered, long received) =>
        Atomic.Max(ref _lastEntry, entered) < Atomic.Min(ref _firstReceived, received);

    /// <summary>Whether all receivers were told the same number of callers.</summary>
    public bool AgreesOnCallers(int callerCount)
    {
        var before = Interlocked.CompareExchange(ref _callerCount, callerCount, 0);
        return before == 0 || before == callerCount;
    }

    public override string ToString() =>
        $"execution {Id} ({(IsAlone ? "alone" : $"flight {FlightId}")}, started {StartSequence}, overtaken {Overtaken}, first received {_firstReceived}, canceled {WasCanceled}, {Call})";
}
