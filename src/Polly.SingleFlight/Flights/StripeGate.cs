namespace Polly.SingleFlight.Flights;

/// <summary>
/// The lock of a stripe. What it guards takes a few dozen nanoseconds and runs no foreign code but a key comparer, so a thread that has to wait spins
/// a little, then gives its core away, and after that sleeps.
/// </summary>
/// <remarks>
/// <para>G1 - At most one thread is inside. It leaves on every way out, a comparer that throws included.</para>
/// <para>G2 - A thread that is inside cannot enter again: a comparer that calls into its own group gets an exception instead of a hang.</para>
/// <para>
/// Leaving is a plain write, which is what makes it cheaper than a lock that has to look for threads to wake. A thread that sleeps wakes by itself,
/// which takes a millisecond, and only where the owner lost its core for so long.
/// </para>
/// </remarks>
internal sealed class StripeGate
{
    /// <summary>The thread that is inside; 0 for none.</summary>
    private int _owner;

    public bool IsHeldByCurrentThread => Volatile.Read(ref _owner) == Environment.CurrentManagedThreadId;

    /// <summary>Enters, to leave with the scope.</summary>
    public Scope Enter()
    {
        var thread = Environment.CurrentManagedThreadId;
        if (Interlocked.CompareExchange(ref _owner, thread, 0) != 0)
        {
            Wait(thread);
        }

        return new Scope(this);
    }

    private void Wait(int thread)
    {
        if (Volatile.Read(ref _owner) == thread)
        {
            throw new LockRecursionException("A key comparer called into the group that it compares keys of.");
        }

        var spinner = default(SpinWait);
        do
        {
            spinner.SpinOnce();
        }
        while (Volatile.Read(ref _owner) != 0 || Interlocked.CompareExchange(ref _owner, thread, 0) != 0);
    }

    public readonly ref struct Scope(StripeGate gate)
    {
        public void Dispose() => Volatile.Write(ref gate._owner, 0);
    }
}
