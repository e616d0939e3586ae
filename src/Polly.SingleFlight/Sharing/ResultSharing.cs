using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Sharing;

/// <summary>
/// The engine's one seam: what a kind of result needs to be shared by several owners. The engine decides who waits for
/// whom; what is asked here is what the callers bring along, what the flight's context needs, what an outcome needs
/// before the flight lands, and who gets what.
/// </summary>
internal abstract class ResultSharing
{
    /// <summary>The rules, to be compared. Callers of pipelines that share a group meet only if these are equal, so that each one's hold for what it receives.</summary>
    public abstract object Realm { get; }

    /// <summary>Whether each follower gets a result of its own, so that a disposable one may be shared.</summary>
    public abstract bool MakesCopies { get; }

    /// <summary>Whether <see cref="FindKeyAsync"/> takes the place of the key generator.</summary>
    public virtual bool FindsKeys => false;

    /// <summary>Whether an outcome with followers goes through <see cref="PrepareAsync"/> before the flight lands.</summary>
    public virtual bool Prepares => false;

    /// <summary>Finds what the caller is coalesced by. What it throws is that caller's outcome.</summary>
    public virtual ValueTask<KeyDecision> FindKeyAsync<TResult>(ResilienceContext context) => throw new NotSupportedException();

    /// <summary>Gives the flight's own context what the leader brought along, on the leader's thread. What it throws is the leader's outcome.</summary>
    public virtual void PrepareContext(Flight flight, ResilienceContext context)
    {
    }

    /// <summary>
    /// Makes an outcome ready to be shared, while the flight can still be joined and left. Does not throw; it disposes
    /// a result that it replaces.
    /// </summary>
    public virtual ValueTask<Outcome<TResult>> PrepareAsync<TResult>(Flight<TResult> flight, ResilienceContext context, Outcome<TResult> outcome) =>
        new(outcome);

    /// <summary>Whether callers of a flight may have an outcome. A predicate that throws says no.</summary>
    public virtual ValueTask<bool> MayShareAsync<TResult>(ResilienceContext context, Outcome<TResult> outcome) => new(true);

    /// <summary>Makes a copy of a result, for one receiver. Throws what the cloner throws.</summary>
    public virtual ValueTask<TResult> CopyAsync<TResult>(ResilienceContext context, TResult result) => throw new NotSupportedException();

    /// <summary>Gives the followers of a landed flight what is theirs. Returns when they are served; does not throw.</summary>
    public abstract ValueTask DistributeAsync<TResult>(
        Flight<TResult> flight, Waiter<TResult> followers, Outcome<TResult> outcome, ResilienceContext context, long now);

    /// <summary>Makes the outcome the leader's own, just before a leader that is still there receives it.</summary>
    public virtual void Receive<TResult>(Flight<TResult> flight, in Outcome<TResult> outcome)
    {
    }

    /// <summary>
    /// Called before a caller runs its own callback, for itself alone, on its own context. What is returned is disposed when that callback
    /// has ended. Neither may throw.
    /// </summary>
    public virtual IDisposable? BeginAlone(ResilienceContext context) => null;

    /// <summary>Whether an exception comes from something that its leader took away when it left.</summary>
    public virtual bool IsLossOfLeader(Exception exception) => false;
}
