using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Sharing;

/// <summary>
/// Determines how one kind of result is shared by several callers. Its methods return values; the engine (<c>Execution/</c>) keeps the waits of
/// the callers and gives the values to them.
/// </summary>
/// <remarks>
/// <para>The calls for one flight, in this order:</para>
/// <para>1. <see cref="FindKeyAsync"/> for each caller, if <see cref="FindsKeys"/>.</para>
/// <para>2. <see cref="PrepareContext"/> before the leader's callback.</para>
/// <para>3. <see cref="PrepareAsync"/> before the flight lands, if <see cref="Prepares"/> and it has followers.</para>
/// <para>4. <see cref="DecideAsync"/> after it has landed, if it has followers.</para>
/// <para>5. <see cref="CopyAsync"/> and <see cref="ReceiveCopy"/> for each follower, if the decision is <see cref="SharingKind.Copies"/>.</para>
/// <para>6. <see cref="ReceiveOriginal"/> for the leader, if it has not left.</para>
/// <para>
/// The parameters <c>leader</c> and <c>follower</c> are the sharing data that <see cref="FindKeyAsync"/> made for these callers; null when it
/// made none. A caller's own objects may be changed only in steps 1, 2, 5 (<see cref="ReceiveCopy"/>) and 6, while it waits (I6).
/// </para>
/// </remarks>
internal abstract class ResultSharing
{
    /// <summary>The rules of sharing, compared with <see cref="object.Equals(object)"/>. Callers of two pipelines meet only if they are equal.</summary>
    public abstract object Realm { get; }

    /// <summary>Whether each follower gets a copy, so that a disposable result may be shared.</summary>
    public abstract bool MakesCopies { get; }

    /// <summary>Whether <see cref="FindKeyAsync"/> makes the key instead of the key generator.</summary>
    public virtual bool FindsKeys => false;

    /// <summary>Whether an outcome with followers goes through <see cref="PrepareAsync"/> before the flight lands.</summary>
    public virtual bool Prepares => false;

    /// <summary>Finds the key of a caller. An exception is the outcome of this caller.</summary>
    public virtual ValueTask<KeyDecision> FindKeyAsync<TResult>(ResilienceContext context) => throw new NotSupportedException();

    /// <summary>Sets on the flight's own context what the callback needs, on the leader's thread. An exception is the leader's outcome.</summary>
    public virtual void PrepareContext(Attachment? leader, ResilienceContext context)
    {
    }

    /// <summary>
    /// Makes an outcome ready to be shared, while the flight can still be joined and left. Disposes a result that it replaces. Does not throw.
    /// </summary>
    /// <param name="leader">The leader's sharing data.</param>
    /// <param name="outcome">The outcome of the leader's callback.</param>
    /// <param name="cancellationToken">The token of the flight.</param>
    public virtual ValueTask<Outcome<TResult>> PrepareAsync<TResult>(
        Attachment? leader, Outcome<TResult> outcome, CancellationToken cancellationToken) => new(outcome);

    /// <summary>Whether callers of a flight may have an outcome. A predicate that throws says no.</summary>
    public virtual ValueTask<bool> MayShareAsync<TResult>(ResilienceContext context, Outcome<TResult> outcome) => new(true);

    /// <summary>Makes a copy of a result for a receiver that is no follower. An exception is the outcome of this receiver.</summary>
    public virtual ValueTask<TResult> MakeCopyAsync<TResult>(ResilienceContext context, TResult original) => throw new NotSupportedException();

    /// <summary>Decides what the followers get. An exception has each of them run its own callback.</summary>
    /// <param name="leader">The leader's sharing data.</param>
    /// <param name="key">The key of the flight.</param>
    /// <param name="context">The flight's own context.</param>
    /// <param name="outcome">The outcome of the flight.</param>
    /// <param name="isShared">The answer of <see cref="MayShareAsync"/>, if it was asked before.</param>
    public abstract ValueTask<SharingDecision> DecideAsync<TResult>(
        Attachment? leader, object key, ResilienceContext context, Outcome<TResult> outcome, bool? isShared);

    /// <summary>
    /// Makes the copy for one follower, which may leave meanwhile. Several run at the same time. An exception is the outcome of this follower.
    /// </summary>
    /// <param name="leader">The leader's sharing data.</param>
    /// <param name="follower">The follower's sharing data.</param>
    /// <param name="context">The flight's own context.</param>
    /// <param name="original">The leader's result, not yet given to the leader.</param>
    public virtual ValueTask<FollowerCopy<TResult>> CopyAsync<TResult>(
        Attachment? leader, Attachment? follower, ResilienceContext context, TResult original) => throw new NotSupportedException();

    /// <summary>
    /// Assigns a copy to its follower, just before the follower gets it. The follower can no longer leave. An exception is the outcome of this
    /// follower.
    /// </summary>
    public virtual void ReceiveCopy<TResult>(Attachment? leader, Attachment? follower, TResult copy)
    {
    }

    /// <summary>Called after all followers were served, if at least one had no copy made for it and no other received one. Does not throw.</summary>
    /// <param name="leader">The leader's sharing data.</param>
    /// <param name="key">The key of the flight.</param>
    /// <param name="context">The flight's own context.</param>
    public virtual void OnNoCopyReceived(Attachment? leader, object key, ResilienceContext context)
    {
    }

    /// <summary>Assigns the outcome to the leader, just before a leader that has not left gets it. An exception is the leader's outcome.</summary>
    public virtual void ReceiveOriginal<TResult>(Attachment? leader, in Outcome<TResult> outcome)
    {
    }

    /// <summary>
    /// Called before a caller runs its own callback alone, on its own context. The returned object is disposed when the callback has ended.
    /// Does not throw, nor does the disposal.
    /// </summary>
    public virtual IDisposable? BeginAlone(ResilienceContext context) => null;

    /// <summary>Whether an exception may come from an object that the leader disposed after it had left.</summary>
    public virtual bool MayBeCausedByLeave(Exception exception) => false;

    /// <summary>Asks a predicate of the options. An exception in it means "no" (S7).</summary>
    protected internal static async ValueTask<bool> AskAsync<TResult>(
        FlightTelemetry telemetry,
        Func<ShouldSharePredicateArguments<TResult>, ValueTask<bool>> shouldShare,
        ResilienceContext context,
        Outcome<TResult> outcome)
    {
        try
        {
            return await shouldShare(new ShouldSharePredicateArguments<TResult>(context, outcome)).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            telemetry.CallbackFailed(context, "ShouldShare", exception);
            return false;
        }
    }
}
