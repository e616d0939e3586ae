using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>What few flights have, in an object of its own, so that the others are smaller.</summary>
internal abstract partial class Flight
{
    private FlightExtras? _extras;

    /// <summary>
    /// The tokens of the last callers that left this flight or one it is a successor of, to be compared with and nothing else (I6). Given up
    /// when the flight ends.
    /// </summary>
    public List<CancellationToken>? FiredTokens
    {
        get => _extras?.FiredTokens;
        protected set
        {
            if (value is not null || _extras is not null)
            {
                Extras.FiredTokens = value;
            }
        }
    }

    /// <summary>Where the flight is in the wait graph; null until it nests. Set once, under the gate of <see cref="WaitGraph"/>.</summary>
    public Nesting? Nesting
    {
        get => _extras?.Nesting;
        set => Extras.Nesting = value;
    }

    /// <summary>The span that followers link to. Written by the leader before its callback runs, read after the outcome is published.</summary>
    public Activity? Span
    {
        get => _extras?.Span;
        set => Extras.Span = value;
    }

    /// <summary>The span of the flight itself, to be ended with it; null if nobody listens, or it is not sampled.</summary>
    public Activity? OwnSpan
    {
        get => _extras?.OwnSpan;
        set => Extras.OwnSpan = value;
    }

    /// <summary>What strategies outside do inside the flight; null if none does. Written once, by the caller that comes first.</summary>
    public InterceptedFlight? Interception => _extras?.Interception;

    /// <summary>Sets what strategies outside do inside the flight, unless another caller has, and returns what is set.</summary>
    public InterceptedFlight SetInterception(InterceptedFlight interception) => Extras.SetInterception(interception);

    /// <summary>Has the flight note when callers join, from now on.</summary>
    public void NoteJoins()
    {
        var extras = Extras;
        using (Stripe.Gate.Enter())
        {
            extras.NotesJoins = true;
        }
    }

    /// <summary>Has the flight keep its outcome from callers that joined after a time of <see cref="Stopwatch.GetTimestamp"/>. Of several the earliest holds.</summary>
    public void ExcludeJoinedAfter(long timestamp)
    {
        var extras = Extras;
        using (Stripe.Gate.Enter())
        {
            extras.LastJoin = Math.Min(extras.LastJoin, timestamp);
        }
    }

    /// <summary>The time that a caller joins at, if it is noted; else before any.</summary>
    protected long TimeOfJoin_NeedsLock()
    {
        Stripe.Gate.AssertIsHeld();
        return _extras is { NotesJoins: true } ? Stopwatch.GetTimestamp() : long.MinValue;
    }

    /// <summary>Callers that joined after this time do not get the outcome.</summary>
    protected long LastJoin_NeedsLock()
    {
        Stripe.Gate.AssertIsHeld();
        return _extras?.LastJoin ?? long.MaxValue;
    }

    /// <summary>Made by the first that needs it; they are under different locks.</summary>
    private FlightExtras Extras => _extras ?? Interlocked.CompareExchange(ref _extras, new FlightExtras(), null) ?? _extras;

    private void GiveUpExtras()
    {
        FiredTokens = null;
        if (Nesting is { } nesting)
        {
            lock (WaitGraph.Gate)
            {
                nesting.Waits = null;
            }
        }
    }
}
