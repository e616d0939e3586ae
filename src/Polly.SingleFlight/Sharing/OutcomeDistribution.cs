using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Sharing;

/// <summary>Gives the followers of a landed flight what is theirs: the outcome, a copy of it, or the way to a callback of their own.</summary>
internal static class OutcomeDistribution
{
    /// <summary>Everybody gets the outcome itself (S7).</summary>
    public static void Publish<TResult>(Waiter<TResult>? followers, in Outcome<TResult> outcome, long now)
    {
        foreach (var follower in new Followers<TResult>(followers))
        {
            follower.TryRelease(outcome, now);
        }
    }

    /// <summary>Asks the predicate and makes the copies first. Returns when the followers are served; does not throw.</summary>
    public static async ValueTask DistributeAsync<TResult>(
        this ResultSharing sharing, Flight<TResult> flight, Waiter<TResult> followers, Outcome<TResult> outcome, ResilienceContext context, long now)
    {
        if (!await IsSharedAsync(sharing, flight, outcome, context).ConfigureAwait(false))
        {
            SendAway(sharing.UnsharedOutcome, flight, followers, now);
        }
        else if (sharing.HasCloner && outcome is { Exception: null, Result: { } original })
        {
            await CloneAsync(sharing, followers, original, context, now).ConfigureAwait(false);
        }
        else
        {
            Publish(followers, outcome, now);
        }
    }

    private static async ValueTask<bool> IsSharedAsync<TResult>(
        ResultSharing sharing, Flight<TResult> flight, Outcome<TResult> outcome, ResilienceContext context)
    {
        try
        {
            return await sharing.ShouldShareAsync(context, outcome).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            flight.Strategy.Telemetry.CallbackFailed(context, "ShouldShare", exception);
            return false;
        }
    }

    private static void SendAway<TResult>(UnsharedOutcome unshared, Flight<TResult> flight, Waiter<TResult> followers, long now)
    {
        if (unshared == UnsharedOutcome.ElectNewLeader)
        {
            flight.ElectAmong(followers, now).Act();
            return;
        }

        foreach (var follower in new Followers<TResult>(followers))
        {
            follower.AloneBecause = BypassReason.Unshared;
            follower.Summon();
        }
    }

    /// <summary>All copies are begun before any is awaited, so that slow ones do not queue behind each other.</summary>
    private static async ValueTask CloneAsync<TResult>(
        ResultSharing sharing, Waiter<TResult> followers, TResult original, ResilienceContext context, long now)
    {
        List<Task>? pending = null;
        foreach (var follower in new Followers<TResult>(followers))
        {
            if (follower.IsClaimed)
            {
                continue;
            }

            var delivery = DeliverCopyAsync(sharing, follower, original, context, now);
            if (!delivery.IsCompletedSuccessfully)
            {
                (pending ??= []).Add(delivery.AsTask());
            }
        }

        if (pending is not null)
        {
            await Task.WhenAll(pending).ConfigureAwait(false);
        }
    }

    private static async ValueTask DeliverCopyAsync<TResult>(
        ResultSharing sharing, Waiter<TResult> follower, TResult original, ResilienceContext context, long now)
    {
        Outcome<TResult> copy;
        try
        {
            copy = Outcome.FromResult(await sharing.CloneAsync(context, original).ConfigureAwait(false));
        }
        catch (Exception exception)
        {
            copy = Outcome.FromException<TResult>(exception);
        }

        if (!follower.TryRelease(copy, now))
        {
            await ResultOwnership<TResult>.DisposeUnreceivedAsync(copy).ConfigureAwait(false);
        }
    }
}
