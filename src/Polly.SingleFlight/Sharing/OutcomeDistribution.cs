using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Sharing;

/// <summary>The ways in which the followers of a landed flight get what is theirs: the outcome, a copy of it, or a callback of their own.</summary>
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

    /// <summary>Asks the predicate; one that throws says no.</summary>
    public static async ValueTask<bool> AskAsync<TResult>(
        FlightTelemetry telemetry, Func<ShouldSharePredicateArguments<TResult>, ValueTask<bool>> shouldShare, ResilienceContext context, Outcome<TResult> outcome)
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

    /// <summary>The outcome is not for the followers.</summary>
    public static void SendAway<TResult>(Flight<TResult> flight, Waiter<TResult> followers, UnsharedOutcome unshared, long now)
    {
        if (unshared == UnsharedOutcome.ElectNewLeader)
        {
            flight.ElectAmong(followers, now).Act();
            return;
        }

        foreach (var follower in new Followers<TResult>(followers))
        {
            SendAway(follower, BypassReason.Unshared);
        }
    }

    /// <summary>Has one follower run its own callback, which it does beside the others.</summary>
    public static void SendAway<TResult>(Waiter<TResult> follower, BypassReason reason)
    {
        follower.AloneBecause = reason;
        follower.RequestRun();
    }

    /// <summary>All copies are begun before any is awaited, so that slow ones do not queue behind each other.</summary>
    public static async ValueTask CloneAsync<TResult>(
        Waiter<TResult> followers,
        TResult original,
        Func<ResilienceContext, TResult, ValueTask<TResult>> cloner,
        ResilienceContext context,
        long now)
    {
        List<Task>? pending = null;
        foreach (var follower in new Followers<TResult>(followers))
        {
            if (follower.IsClaimed)
            {
                continue;
            }

            var delivery = DeliverCopyAsync(follower, original, cloner, context, now);
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
        Waiter<TResult> follower,
        TResult original,
        Func<ResilienceContext, TResult, ValueTask<TResult>> cloner,
        ResilienceContext context,
        long now)
    {
        Outcome<TResult> copy;
        try
        {
            copy = Outcome.FromResult(await cloner(context, original).ConfigureAwait(false));
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
