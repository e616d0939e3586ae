namespace Polly.SingleFlight.Soak;

/// <summary>Everything that the callers of one run share.</summary>
internal sealed class World
{
    private readonly long[] _sequence = new long[32];
    private volatile bool _isStopping;
    private int _blocked;

    public World(SoakOptions options)
    {
        Arenas = ArenaCatalog.Create(this, options);
        Nestable = [.. Arenas.Where(static arena => arena.Allows(Hazards.Nested))];
    }

    public Violations Violations { get; } = new();

    public Ledger Ledger { get; } = new();

    public LeaseBook Leases { get; } = new();

    public CancellationBoard Board { get; } = new();

    public Arena[] Arenas { get; }

    public Arena[] Nestable { get; }

    public bool IsStopping
    {
        get => _isStopping;
        set => _isStopping = value;
    }

    /// <summary>The last number given out by <see cref="Next"/>.</summary>
    public long Sequence => Volatile.Read(ref _sequence[16]);

    /// <summary>The next moment in the one order of all moments that matter.</summary>
    public long Next() => Interlocked.Increment(ref _sequence[16]);

    /// <summary>Permission to block a thread, within what the thread pool stands; <see cref="EndBlocking"/> gives it back.</summary>
    public bool TryBeginBlocking()
    {
        if (Interlocked.Increment(ref _blocked) <= SoakRunner.BlockedThreads)
        {
            return true;
        }

        Interlocked.Decrement(ref _blocked);
        return false;
    }

    public void EndBlocking() => Interlocked.Decrement(ref _blocked);
}
