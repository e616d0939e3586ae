using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>
/// One execution shared by its callers: what does not depend on the result type.
/// </summary>
/// <remarks>
/// <para>Invariants, defined in docs/rules.md together with the tests that guard them:</para>
/// <para>I1 - One joinable flight per key, result type and realm (<see cref="FlightRules.Realm"/>). A flight stops being joinable before it leaves the table, and leaves by reference.</para>
/// <para>I2 - Waiters never rise from zero: a closed flight refuses to be joined, and state and count change under one lock.</para>
/// <para>I3 - Closed before published: once any caller holds the outcome, no later call receives it.</para>
/// <para>I4 - One caller's cancellation ends that caller's wait and nothing else; only the last to leave, or a leader that hands over, cancels the callback.</para>
/// <para>I5 - No foreign code under the lock, save the key comparer.</para>
/// <para>I6 - Nothing of a caller is touched after that caller returned.</para>
/// <para>
/// Lock order: <see cref="WaitGraph"/>, then the stripe. Every mutable field is guarded by the gate of <see cref="Stripe"/>
/// unless it says otherwise. The flight is its own token source, which saves an object per flight; it is never disposed,
/// because code of the callback may still hold the token, and it owns neither a timer nor a handle.
/// </para>
/// </remarks>
[DebuggerDisplay("{DebugText,nq}")]
[DebuggerTypeProxy(typeof(FlightDebugView))]
internal abstract partial class Flight : FlightProperties, IParticipation, IWait, IThreadPoolWorkItem
{
    /// <summary>Long ago, so that callers with a limit on a flight's age do not join it.</summary>
    public const long NotStarted = long.MinValue / 2;

    private Flight? _nextInBucket;
    private long _endTimestamp;

    /// <summary>Written under the gate, save that the run which closed the flight ends it without; read anywhere.</summary>
    private volatile FlightState _state;

    protected Flight(FlightRules rules, FlightStripe stripe, int hash, object key, long now)
        : base(key, rules.DetectReentrancy)
    {
        Rules = rules;
        Stripe = stripe;
        Hash = hash;
        StartTimestamp = now;
        Id = stripe.NextId_NeedsLock();
        Joined = 1;
        Waiters = 1;
    }

    /// <summary>The rules of the flight, which are those of the pipeline that its leader came through.</summary>
    public FlightRules Rules { get; }

    public FlightStripe Stripe { get; }

    public int Hash { get; }

    /// <summary>Sharing data of the leader's call; null without any. Set at creation, null after <see cref="End"/>.</summary>
    public Attachment? Attachment { get; set; }

    public long Id { get; }

    /// <summary>By the flight's clock; <see cref="NotStarted"/> in a successor on another clock than its predecessor's, until its leader begins.</summary>
    public long StartTimestamp { get; private set; }

    public abstract Type ResultType { get; }

    /// <summary>The next flight of the same bucket of the table.</summary>
    public ref Flight? NextInBucket => ref _nextInBucket;

    /// <summary>Whether the flight is in the table.</summary>
    public bool IsJoinable => _state == FlightState.Joinable;

    /// <summary>Whether the flight has given up its callers.</summary>
    public bool IsClosed => _state >= FlightState.Closed;

    /// <summary>Whether everybody who waited has been given something. Never unset.</summary>
    public bool HasEnded => _state == FlightState.Ended;

    /// <summary>What has become of the leader. Guarded by the gate; its own thread may read it without.</summary>
    public LeaderState Leader { get; protected set; }

    /// <summary>Whether the leader left before the flight closed.</summary>
    public bool LeaderLeft => Leader is LeaderState.Leaving or LeaderState.Abandoning or LeaderState.Left;

    /// <summary>How many callers are present, the leader included.</summary>
    public int Waiters { get; protected set; }

    /// <summary>How many callers joined in all, the leader included.</summary>
    public int Joined { get; protected set; }

    /// <summary>
    /// Whether a newcomer would be given the outcome: the flight is joinable, or was when it landed. Once lost, for whatever reason, it stays lost.
    /// </summary>
    public bool HoldsKey => IsJoinable || LandedWithKey;

    /// <summary>Whether the flight was joinable when its callback ended. Written under the gate.</summary>
    protected bool LandedWithKey { get; set; }

    /// <summary>Whether the flight was counted as active.</summary>
    public bool IsCounted { get; set; }

    /// <summary>The time since the start, by the clock the flight was started on.</summary>
    public TimeSpan Age => TimeUntil(Rules.Clock.Now);

    /// <summary>The time from the start until another time, by the clock the flight was started on.</summary>
    public TimeSpan TimeUntil(long now) => Rules.Clock.Elapsed(StartTimestamp, now);

    /// <summary>The followers as they are seen without the gate, for a debugger.</summary>
    public abstract List<object> FollowersSeen { get; }

    /// <summary>How far the flight has come, for a debugger.</summary>
    public FlightState StateSeen => _state;

    private string DebugText => $"#{Id} {_state}, {Waiters} of {Joined} callers, leader {Leader}, {ResultType.Name}";

    Flight? IWait.Target => HasEnded || Leader is LeaderState.Left or LeaderState.LetGo ? null : this;

    /// <summary>Gives a successor its time, which could not be read when it was made, since a clock is foreign code (I5).</summary>
    public void BeginTime()
    {
        if (StartTimestamp == NotStarted)
        {
            StartTimestamp = Rules.Clock.Now;
        }
    }

    /// <summary>Ends the flight for everybody; false when it had closed already.</summary>
    public abstract bool CancelByGroup();

    /// <summary>Cancels the flight's token on a thread pool thread, so that what user code does there reaches nobody (S6).</summary>
    public void CancelOffStack() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    /// <summary>Called when everybody has been given something and the callback has ended.</summary>
    public void End()
    {
        Debug.Assert(IsClosed, "I3: a flight closes before it ends.");
        _state = FlightState.Ended;

        // Execution contexts, and flights that ran inside this one, may hold it for as long as they live.
        (Key as IntrinsicKey)?.GiveUp();
        Key = null!;
        Attachment = null;
        if (_extras is not null)
        {
            // One that ends before its callback began does not land.
            Interception?.OnLanded();
            GiveUpExtras();
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            Cancel();
        }
        catch (AggregateException)
        {
            // Thrown by registrations of the callback's own code; there is nobody to tell but the callback itself.
        }
    }

    Flight? IParticipation.Flight => this;

    SingleFlightResult? IParticipation.ToResult() => IsClosed ? CreateLeaderResult() : null;

    /// <summary>What the leader of the closed flight has to do with it.</summary>
    public SingleFlightResult CreateLeaderResult() =>
        new(SingleFlightRole.Leader, Joined, Id, TimeUntil(_endTimestamp));

    /// <summary>Makes newcomers of the key start afresh.</summary>
    public void Forget()
    {
        using (Stripe.Gate.Enter())
        {
            if (IsJoinable)
            {
                Stripe.Remove_NeedsLock(this);
            }
        }
    }

    /// <summary>Called by <see cref="FlightStripe"/> when it puts the flight into the table or takes it out.</summary>
    public void SetJoinable_NeedsLock(bool isJoinable)
    {
        Stripe.Gate.AssertIsHeld();
        Debug.Assert(!IsClosed, "I1: a closed flight is not in the table.");
        _state = isJoinable ? FlightState.Joinable : FlightState.Open;
    }

    /// <summary>Marks the leader as let go, and says what had become of it.</summary>
    public LeaderState LetLeaderGo_NeedsLock()
    {
        Stripe.Gate.AssertIsHeld();
        var before = Leader;
        Leader = LeaderLeft ? LeaderState.Left : LeaderState.LetGo;
        return before;
    }

    protected void Close_NeedsLock(long now)
    {
        Stripe.Gate.AssertIsHeld();
        Stripe.Remove_NeedsLock(this);
        _state = FlightState.Closed;
        _endTimestamp = now;
    }

    [Conditional("DEBUG")]
    protected virtual void AssertInvariants_NeedsLock()
    {
        Stripe.Gate.AssertIsHeld();
        Debug.Assert(IsClosed || Waiters > 0, "I2: an open flight has waiters.");
        Debug.Assert(Waiters <= Joined, "I2: nobody waits who did not join.");
        Debug.Assert(!IsJoinable || !IsCancellationRequested, "I1: a joinable flight is not cancelled.");
    }
}
