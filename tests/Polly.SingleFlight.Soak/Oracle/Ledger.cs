namespace Polly.SingleFlight.Soak;

/// <summary>Finds executions by what callers were given: by their number, and by that of their flight. Forgets old ones.</summary>
internal sealed class Ledger
{
    private const int Size = 1 << 16;

    private readonly Execution?[] _byId = new Execution?[Size];
    private readonly Execution?[] _byFlight = new Execution?[Size];
    private int _lastId;

    public int NextId() => Interlocked.Increment(ref _lastId);

    public void Add(Execution execution)
    {
        Volatile.Write(ref _byId[execution.Id & (Size - 1)], execution);
        if (execution.FlightId != 0)
        {
            Volatile.Write(ref _byFlight[execution.FlightId & (Size - 1)], execution);
        }
    }

    /// <summary>The execution of that number, or null when it is too long ago.</summary>
    public Execution? Find(int id) =>
        Volatile.Read(ref _byId[id & (Size - 1)]) is { } execution && execution.Id == id ? execution : null;

    /// <summary>The execution of that flight, or null when it is too long ago.</summary>
    public Execution? FindFlight(long flightId) =>
        Volatile.Read(ref _byFlight[flightId & (Size - 1)]) is { } execution && execution.FlightId == flightId ? execution : null;

    public void Clear()
    {
        Array.Clear(_byId);
        Array.Clear(_byFlight);
    }
}
