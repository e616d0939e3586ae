using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>
/// One follower's wait for a flight: the task that the caller was given, and what is needed to let it go.
/// </summary>
/// <remarks>
/// <para>
/// The task is what the caller awaits, with no frame of ours around it, so a caller that blocks its thread wakes even
/// when the thread pool has no thread to spare (S12). Its continuations run on the thread pool, never inside whoever
/// completes or cancels.
/// </para>
/// <para>
/// W1 - Exactly one party claims a waiter, and only that party touches the caller from then on: the flight that lands,
/// the caller's own token, the group, the election it wins, or the caller itself when it runs alone after all.
/// W2 - The registration on the caller's token is gone before the caller is let go.
/// W3 - A caller runs its own callback only after it finished setting up its wait (<see cref="Ready"/>).
/// </para>
/// </remarks>
[DebuggerDisplay("{DebugText,nq}")]
internal abstract class Waiter<TResult> : TaskCompletionSource<Outcome<TResult>>, IParticipation, IWait, IThreadPoolWorkItem
{
    private const int Claimed = 1;
    private const int Registered = 2;
    private const int SetUp = 4;
    private const int RunRequested = 8;

    private readonly CallerFlow _flow;
    private CancellationTokenRegistration _registration;
    private int _state;

    /// <summary>A byte, since a nullable enumeration would take eight. Negative for none.</summary>
    private sbyte _aloneBecause = -1;
    private long _time;

    protected Waiter(Flight<TResult> flight, ResilienceContext context, long now)
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        Flight = flight;
        Context = context;
        CanLeave = context.CancellationToken.CanBeCanceled;
        _time = now;
        _flow = CallerFlow.Capture(context);
    }

    /// <summary>The rules of the pipeline that the caller came through; another than the flight's when a group is shared.</summary>
    public abstract FlightRules Rules { get; }

    /// <summary>The caller's own context; only for the caller itself and, later, the claimer (I6).</summary>
    public ResilienceContext Context { get; }

    /// <summary>Whether the caller has a token that can end its wait.</summary>
    public bool CanLeave { get; }

    /// <summary>Sharing data of the caller; null without any. Set at creation.</summary>
    public Attachment? Attachment { get; init; }

    /// <summary>The flight waited for. Changes under the gate of the stripe, when the waiter goes to a successor of the same key.</summary>
    public Flight<TResult> Flight { get; set; }

    /// <summary>When the caller joined, by <see cref="Stopwatch.GetTimestamp"/>, if the flight notes it. Written under the gate.</summary>
    public long JoinedAt { get; set; }

    /// <summary>How often this caller was re-elected or handed over.</summary>
    public int Elections { get; set; }

    /// <summary>Why the summoned caller runs alone, or null when it is to lead <see cref="Flight"/>.</summary>
    public BypassReason? AloneBecause
    {
        get => _aloneBecause < 0 ? null : (BypassReason)_aloneBecause;
        set => _aloneBecause = value is { } reason ? (sbyte)reason : (sbyte)-1;
    }

    /// <summary>Neighbours in the ring of followers; guarded by the gate until the flight closes, then its closer's.</summary>
    public Waiter<TResult>? Next { get; set; }

    public Waiter<TResult>? Previous { get; set; }

    /// <summary>Whether the caller has finished setting up its wait.</summary>
    public bool IsReady => (Volatile.Read(ref _state) & SetUp) != 0;

    /// <summary>Whether the unclaimed waiter's own token has fired, so that its registration is about to claim it.</summary>
    public bool IsLeaving => Context.CancellationToken.IsCancellationRequested;

    public bool IsClaimed => (Volatile.Read(ref _state) & Claimed) != 0;

    private string DebugText => $"follower of #{Flight.Id}{(IsClaimed ? ", claimed" : "")}{(IsReady ? "" : ", not set up")}";

    Flight? IWait.Target => IsClaimed ? null : Flight;

    /// <summary>Watches the caller's token, whose callback may run before this returns.</summary>
    public void Listen()
    {
        if (!CanLeave)
        {
            return;
        }

        _registration = Context.CancellationToken.UnsafeRegister(static waiter => ((Waiter<TResult>)waiter!).Leave(exception: null), this);
        if ((Interlocked.Or(ref _state, Registered) & Claimed) != 0)
        {
            _registration.Unregister();
        }
    }

    /// <summary>Becomes the one party that lets the caller go, and removes the registration on its token (W1, W2).</summary>
    public bool TryClaim()
    {
        var state = Interlocked.Or(ref _state, Claimed);
        if ((state & (Claimed | Registered)) == Registered)
        {
            _registration.Unregister();
        }

        return (state & Claimed) == 0;
    }

    /// <summary>Lets the caller go with this outcome, unless somebody else has claimed it.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="now">The time by the flight's clock.</param>
    public bool TryRelease(in Outcome<TResult> outcome, long now)
    {
        if (!TryClaim())
        {
            return false;
        }

        Release(outcome, now);
        return true;
    }

    /// <summary>Lets the claimed caller go.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="now">The time by the flight's clock.</param>
    /// <param name="hasLeft">Whether the outcome is the cancellation of the caller's own token.</param>
    public void Release(in Outcome<TResult> outcome, long now, bool hasLeft = false)
    {
        _time = WaitedUntil(now).Ticks;
        OnRelease(outcome.Exception, hasLeft);
        SetResult(outcome);
    }

    /// <summary>Takes the caller out of its flight and lets it go, unless somebody else has claimed it.</summary>
    /// <param name="exception">What the caller gets; null for the cancellation of its own token.</param>
    public void Leave(Exception? exception)
    {
        var now = Flight.Rules.Clock.Now;
        Departure<TResult> departure;
        using (Flight.Stripe.Gate.Enter())
        {
            if (!TryClaim())
            {
                return;
            }

            departure = Flight.Leave_NeedsLock(this, now, Context.CancellationToken);
        }

        departure.Act(Context);
        Release(exception is null ? Outcomes.Canceled<TResult>(Context) : Outcome.FromException<TResult>(exception), now, hasLeft: exception is null);
    }

    /// <summary>The caller has finished setting up and no longer touches its context (W3).</summary>
    public void Ready()
    {
        if ((Interlocked.Or(ref _state, SetUp) & RunRequested) != 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>
    /// Sends the caller to run its own callback, on its own execution context, as soon as it is ready. One that is to lead
    /// was claimed by its election; one that is to run alone claims itself when it does, and can leave until then.
    /// </summary>
    public void RequestRun()
    {
        if ((Interlocked.Or(ref _state, RunRequested) & SetUp) != 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    Flight? IParticipation.Flight => Flight;

    SingleFlightResult? IParticipation.ToResult() => Task.IsCompleted ? CreateResult() : null;

    void IThreadPoolWorkItem.Execute() => _flow.Run(static waiter => ((Waiter<TResult>)waiter!).RunOwnCallback(), this);

    /// <summary>Called just before the caller is let go by somebody else. Does not throw.</summary>
    /// <param name="failure">The exception that the caller gets; null for a result.</param>
    /// <param name="hasLeft">Whether it is the cancellation of the caller's own token.</param>
    protected abstract void OnRelease(Exception? failure, bool hasLeft);

    /// <summary>Runs the caller's own callback and lets the caller go with its outcome. Does not throw.</summary>
    protected abstract void RunOwnCallback();

    private TimeSpan WaitedUntil(long now)
    {
        try
        {
            return Rules.Clock.Elapsed(_time, ReferenceEquals(Rules.Clock.Provider, Flight.Rules.Clock.Provider) ? now : Rules.Clock.Now);
        }
        catch (Exception)
        {
            // A clock that throws costs its caller the time, and keeps no caller waiting.
            return TimeSpan.Zero;
        }
    }

    protected SingleFlightResult CreateResult() =>
        new(SingleFlightRole.Follower, Flight.Joined, Flight.Id, TimeSpan.FromTicks(_time));
}
