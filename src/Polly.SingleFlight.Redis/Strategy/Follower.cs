using Polly.SingleFlight.Redis.Engine;

namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>A caller that waits for leaders of other nodes, one after another if they are lost.</summary>
internal sealed class Follower : IDisposable
{
    /// <summary>How long after a lease has ended it looks: at once, but not before Redis has noticed.</summary>
    private static readonly TimeSpan s_margin = TimeSpan.FromMilliseconds(10);

    /// <summary>How many answers, one after another, may be late.</summary>
    private const int MaxLateAnswers = 3;

    private readonly Inbox _inbox;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _maxWait;
    private readonly Action<Message> _onMessage;
    private readonly SemaphoreSlim _woken = new(0);
    private ITimer? _limit;
    private long _since;
    private long _endedAt;
    private TimeSpan _lease;
    private int _lateAnswers;
    private bool _isWaiting;
    private bool _isWoken;
    private volatile bool _isLate;

    public Follower(Inbox inbox, TimeProvider clock, TimeSpan maxWait)
    {
        (_inbox, _clock, _maxWait) = (inbox, clock, maxWait);
        _onMessage = OnMessage;
    }

    /// <summary>The id of the leader that is followed, or an empty string.</summary>
    public string Leader { get; private set; } = "";

    /// <summary>When it was registered with that leader, in microseconds of the server's clock.</summary>
    public long RegisteredAt { get; private set; }

    /// <summary>From when on a caller may hold the outcome, in microseconds of the server's clock, as the message said; 0 if none has come.</summary>
    public long EndedAt => Volatile.Read(ref _endedAt);

    /// <summary>Whether to go on after an answer that was late.</summary>
    public bool MayAskAgain => Leader.Length > 0 && _lateAnswers < MaxLateAnswers;

    /// <summary>Follows a leader.</summary>
    public void Join(string leader, long registeredAt)
    {
        Leave();
        (Leader, RegisteredAt, _isWoken) = (leader, registeredAt, false);
        Volatile.Write(ref _endedAt, 0);
        _inbox.Listeners.Add(leader, _onMessage);
        if (!_isWaiting)
        {
            _isWaiting = true;
            _since = _clock.GetTimestamp();
            _limit ??= Detached.CreateTimer(_clock, static state => ((Follower)state!).OnLimit(), this, _maxWait, System.Threading.Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Follows nobody any more.</summary>
    public void Leave()
    {
        if (Leader.Length > 0)
        {
            _inbox.Listeners.Remove(Leader, _onMessage);
            Leader = "";
        }
    }

    /// <summary>Waits until it is worth looking again.</summary>
    /// <param name="lease">The rest of the leader's lease.</param>
    /// <param name="token">The caller's token.</param>
    /// <returns><see langword="false"/> if the caller has waited as long as it may.</returns>
    /// <exception cref="OperationCanceledException">The caller has left.</exception>
    public ValueTask<bool> WaitAsync(TimeSpan lease, CancellationToken token)
    {
        (_lease, _lateAnswers) = (lease, 0);
        return WaitAsync(token);
    }

    /// <summary>After an answer that was late: asks again at once if a message has come, which is not sent twice, and otherwise waits for the next look.</summary>
    /// <inheritdoc cref="WaitAsync(TimeSpan, CancellationToken)"/>
    public ValueTask<bool> WaitAgainAsync(CancellationToken token)
    {
        _lateAnswers++;
        if (_isWoken)
        {
            return new(!_isLate);
        }

        // The rest of the lease was known long ago, and whoever waits for this leader looks when it ends.
        _lease = TimeSpan.MaxValue - s_margin;
        return WaitAsync(token);
    }

    private async ValueTask<bool> WaitAsync(CancellationToken token)
    {
        _inbox.Looks.Begin();
        try
        {
            // Looks in any case after a while, so that a lost message is a delay.
            var (end, look) = (_lease + s_margin, _inbox.Looks.Interval);
            _isWoken = await _woken.WaitAsync(end < look ? end : look, token).ConfigureAwait(false);
            return !_isLate;
        }
        finally
        {
            _inbox.Looks.End();
        }
    }

    /// <summary>How long it has waited, once; null if it has not.</summary>
    public TimeSpan? TakeWaited()
    {
        if (!_isWaiting)
        {
            return null;
        }

        _isWaiting = false;
        return _clock.GetElapsedTime(_since);
    }

    public void Dispose()
    {
        Leave();
        _limit?.Dispose();
        _limit = null;
    }

    /// <summary>That somebody waits is for the leader, who may be on the same node.</summary>
    private void OnMessage(Message message)
    {
        if (message.Letter != 'W')
        {
            Volatile.Write(ref _endedAt, message.EndedAt);
            _woken.Release();
        }
    }

    private void OnLimit()
    {
        _isLate = true;
        _woken.Release();
    }
}
