using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;

namespace Polly.SingleFlight.Execution;

/// <summary>Serves the followers of a landed flight: step 5 of <see cref="LeaderRun{TResult, TState}"/>.</summary>
/// <remarks>
/// <para><see cref="ResultSharing"/> determines what followers get. This class and <see cref="FollowerCopies{TResult}"/> keep these rules:</para>
/// <para>1. The ring of followers is walked once, and followers that another party has claimed are skipped (W1).</para>
/// <para>2. All copies are begun before one is awaited, and each follower is released when its own copy is ready.</para>
/// <para>3. A caller's own objects are changed only between its claim and its release (I6).</para>
/// <para>4. A copy that its follower does not receive is disposed (S10).</para>
/// <para>5. Every follower is served, also if the sharing code throws.</para>
/// </remarks>
internal static class FollowerService
{
    /// <summary>Releases all followers with the outcome itself (S7).</summary>
    public static void Publish<TResult>(Waiter<TResult>? followers, in Outcome<TResult> outcome, long now) =>
        Serve(followers, new SharingDecision(SharingKind.Same), outcome, now, copies: null);

    /// <summary>Asks the sharing code and serves the followers by its answer. Does not throw.</summary>
    public static async ValueTask ServeAsync<TResult>(
        ResultSharing sharing, Flight<TResult> flight, ResilienceContext context, Landing<TResult> landing, Outcome<TResult> outcome)
    {
        SharingDecision decision;
        try
        {
            decision = await sharing.DecideAsync(flight.Attachment, flight.Key, context, outcome, flight.Interception?.WasShared).ConfigureAwait(false);
        }
        catch (Exception)
        {
            decision = SharingDecision.Alone(BypassReason.Unshared);
        }

        switch (decision.Kind)
        {
            case SharingKind.Elect:
                flight.ElectAmong(landing.Followers!, landing.Now).Act();
                break;
            case SharingKind.Copies:
                var copies = new FollowerCopies<TResult>(sharing, flight, context, outcome.Result!, landing.Now);
                Serve(landing.Followers, decision, outcome, landing.Now, copies);
                await copies.EndAsync().ConfigureAwait(false);
                break;
            default:
                Serve(landing.Followers, decision, outcome, landing.Now, copies: null);
                break;
        }
    }

    /// <summary>Has a follower run its own callback, beside the others. It can leave until then.</summary>
    public static void RunAlone<TResult>(Waiter<TResult> follower, BypassReason reason)
    {
        follower.AloneBecause = reason;
        follower.RequestRun();
    }

    private static void Serve<TResult>(
        Waiter<TResult>? followers, SharingDecision decision, in Outcome<TResult> outcome, long now, FollowerCopies<TResult>? copies)
    {
        foreach (var follower in new Followers<TResult>(followers))
        {
            if (decision.Kind == SharingKind.Same)
            {
                follower.TryRelease(outcome, now);
            }
            else if (follower.IsClaimed)
            {
                continue;
            }
            else if (copies is not null)
            {
                copies.Begin(follower);
            }
            else
            {
                RunAlone(follower, decision.Bypass);
            }
        }
    }
}
