using Polly.SingleFlight.Redis.Payload;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>
/// A flight that this node leads in Redis, from the answer that said so to its end.
/// </summary>
/// <remarks>
/// <para>The lease is renewed at a third of it, from the start until the end, and not any more once the flight is lost.</para>
/// <para>A flight ends once: with an outcome, or given up. Who comes second does nothing.</para>
/// <para>
/// Who registers when a caller may hold the outcome already receives nothing. Where somebody is known to wait, the caller here is held until the flight has left Redis. Else it is
/// held as long as the answer of the acquisition may have been delayed, or until the flight has left, and a registration counts up to the earliest time by the server's clock
/// that the caller can have been let go at: the time of the acquisition and what has passed here since its answer came. So who registered before the callback ended, receives.
/// </para>
/// <para>An end that Redis does not confirm is repeated until the lease is over, and so is an outcome that is left afterwards: without the execution context of the caller, who has returned by then.</para>
/// </remarks>
internal sealed class LedFlight
{
    /// <summary>What timers may be early by, at most: they count the ticks of the system, of which the longest, on Windows, is 15.6 ms.</summary>
    private static readonly TimeSpan s_longestTick = TimeSpan.FromMilliseconds(16);

    private readonly RedisEngine _engine;
    private readonly Action<LedFlight> _onEnd;
    private readonly AcquireReply _reply;
    private readonly TimeSpan _lease;
    private readonly TimeSpan _timeout;
    private readonly ITimer _renewal;

    /// <summary>0, or 1 from the first call that ends the flight.</summary>
    private int _hasEnded;

    private volatile bool _isAwaited;

    public LedFlight(RedisEngine engine, FlightName name, AcquireReply reply, TimeSpan lease, TimeSpan timeout, Action<LedFlight> onEnd)
    {
        (_engine, Name, _reply, _lease, _timeout, _onEnd) = (engine, name, reply, lease, timeout, onEnd);
        _renewal = Detached.CreateTimer(TimeProvider.System, static state => _ = ((LedFlight)state!).RenewAsync(), this, lease / 3, lease / 3);
    }

    public FlightName Name { get; }

    /// <summary>The leader's id.</summary>
    public string Id => _reply.Leader;

    /// <summary>Whether the flight has ended or was given up.</summary>
    public bool HasEnded => Volatile.Read(ref _hasEnded) != 0;

    /// <summary>Whether another node is known to wait. Set by its message.</summary>
    public bool IsAwaited => _isAwaited;

    /// <summary>The earliest time by the server's clock, in microseconds, that it can be now.</summary>
    public long EarliestNow => _reply.ServerTime + ServerClock.Least((long)TimeProvider.System.GetElapsedTime(_reply.At).TotalMicroseconds);

    /// <summary>Begins to listen for those who wait.</summary>
    public void Open() => _engine.Inbox.Listeners.Add(Id, OnMessage);

    /// <summary>Gives the flight up, so that others take over at once.</summary>
    public Task GiveUpAsync() => TryEnd() ? EndUntilConfirmedAsync(static () => FlightEnd.GivenUp) : Task.CompletedTask;

    /// <summary>Ends the flight. The task ends when the caller may be let go: if somebody is known to wait, when the flight has left Redis, or one time-out later.</summary>
    /// <param name="makeOutcome">Makes what is handed over, for registrations up to the cutoff.</param>
    /// <param name="wasAwaited">Told when somebody has waited.</param>
    /// <returns>From when on, by the system's clock, a caller of another node may hold the outcome; null if none will.</returns>
    public Task<long?> EndAsync(Func<long, byte[]> makeOutcome, Action wasAwaited)
    {
        if (!TryEnd())
        {
            return Task.FromResult<long?>(null);
        }

        return _isAwaited ? EndAwaitedAsync(makeOutcome, wasAwaited) : EndUnawaitedAsync(makeOutcome, wasAwaited);
    }

    private async Task<long?> EndAwaitedAsync(Func<long, byte[]> makeOutcome, Action wasAwaited)
    {
        // If it is not confirmed the caller is let go after the time-out, which may be early. Should Redis hear it later than that, the cutoff holds.
        var sentAt = TimeProvider.System.GetTimestamp();
        var latest = EarliestNow + (long)Math.Max(0, (_timeout - s_longestTick).TotalMicroseconds);
        var mayBeHeard = false;
        for (var rest = _timeout; ; rest = Rest())
        {
            var (ended, isSent) = await _engine.EndAsync(Name, Id, End(latest), rest).ConfigureAwait(false);
            if (ended is { Waiting: > 0 })
            {
                wasAwaited();
            }

            // If it was heard before, the answer knows nothing of those who waited.
            if (ended is not null)
            {
                return ended.Value.Waiting > 0 || mayBeHeard ? sentAt : null;
            }

            // A connection that broke may have sent it all the same.
            mayBeHeard |= isSent;
            if (!mayBeHeard || Rest() < 2 * Repetition.Pause)
            {
                break;
            }

            await Task.Delay(Repetition.Pause).ConfigureAwait(false);
        }

        if (mayBeHeard)
        {
            await Repetition.HoldAsync(sentAt, _timeout).ConfigureAwait(false);
        }

        // The caller is not held any longer, so from here on there is a cutoff.
        var cutoff = EarliestNow;
        _ = Detached.Begin(() => EndLaterAsync(() => End(cutoff), wasAwaited));
        return sentAt;

        TimeSpan Rest() => _timeout - TimeProvider.System.GetElapsedTime(sentAt);

        FlightEnd End(long cutoff) => new(makeOutcome(cutoff), cutoff, IsGivenUp: false);
    }

    private async Task EndLaterAsync(Func<FlightEnd> makeEnd, Action wasAwaited)
    {
        if (await EndUntilConfirmedAsync(makeEnd).ConfigureAwait(false) is { Waiting: > 0 })
        {
            wasAwaited();
        }
    }

    private async Task<long?> EndUnawaitedAsync(Func<long, byte[]> makeOutcome, Action wasAwaited)
    {
        var begin = TimeProvider.System.GetTimestamp();
        var ending = EndUntilConfirmedAsync(static () => new FlightEnd(null, 0, IsGivenUp: false));
        await Repetition.HoldAsync(begin, _reply.Delay, ending).ConfigureAwait(false);
        var now = TimeProvider.System.GetTimestamp();
        var hasEnded = ending.IsCompleted;
        var cutoff = hasEnded ? long.MaxValue : EarliestNow;
        _ = Detached.Begin(() => DeliverAsync(ending, cutoff, makeOutcome, wasAwaited));
        return hasEnded && await ending.ConfigureAwait(false) is not { Waiting: > 0 } ? null : now;
    }

    private async Task DeliverAsync(Task<EndReply?> ending, long cutoff, Func<long, byte[]> makeOutcome, Action wasAwaited)
    {
        if (await ending.ConfigureAwait(false) is not { Registrations.Length: > 0 } ended)
        {
            return;
        }

        var receivers = ended.Inboxes(cutoff, areLate: false);
        if (receivers.Count > 0)
        {
            wasAwaited();
        }

        // By now the outcome may be written long after the first caller has it, so it says itself from when on.
        var heldAt = Math.Min(cutoff, ended.EndedAt);
        var late = ended.Inboxes(cutoff, areLate: true);
        await Repetition.UntilConfirmedAsync(
            _engine,
            _lease,
            () => _engine.DeliverAsync(Name, Id, makeOutcome(heldAt), heldAt, receivers, late, _timeout),
            static isConfirmed => isConfirmed).ConfigureAwait(false);
    }

    private Task<EndReply?> EndUntilConfirmedAsync(Func<FlightEnd> makeEnd) => Detached.Begin(() => Repetition.UntilConfirmedAsync(
        _engine,
        _lease,
        async () => (await _engine.EndAsync(Name, Id, makeEnd(), _timeout).ConfigureAwait(false)).Reply,
        static reply => reply is not null));

    /// <summary>Whether the caller is the one to end the flight.</summary>
    private bool TryEnd()
    {
        if (Interlocked.Exchange(ref _hasEnded, 1) != 0)
        {
            return false;
        }

        _renewal.Dispose();
        _engine.Inbox.Listeners.Remove(Id, OnMessage);
        _onEnd(this);
        return true;
    }

    private async Task RenewAsync()
    {
        if (!HasEnded && await _engine.RenewAsync(Name, Id, _lease, _timeout).ConfigureAwait(false) == false)
        {
            // Another leads by now, and nobody waits for this one.
            TryEnd();
        }
    }

    private void OnMessage(Message message) => _isAwaited |= message.Letter == 'W';
}
