using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;

namespace Polly.SingleFlight.Http;

/// <summary>What the followers get: a response each, or the way to a request of their own.</summary>
internal sealed partial class HttpSharing
{
    /// <summary>
    /// A follower is claimed before its response is made, because that is when its request may be touched (I6).
    /// </summary>
    private void Deliver<TResult>(
        Flight<TResult> flight, Waiter<TResult> followers, ResponseSnapshot snapshot, ResilienceContext context, long now)
    {
        var delivered = false;
        var sentAway = false;
        foreach (var follower in new Followers<TResult>(followers))
        {
            if (follower.Attachment is not HttpCall call || !snapshot.Fits(call))
            {
                sentAway = true;
                OutcomeDistribution.SendAway(follower, BypassReason.Unshared);
            }
            else if (follower.TryClaim())
            {
                delivered = true;
                follower.Release(CreateOutcome<TResult>(snapshot, call.Request), now);
            }
        }

        if (sentAway && !delivered)
        {
            Remember(flight, snapshot.Status, Unshareable.Vary, context);
        }
    }

    private static Outcome<TResult> CreateOutcome<TResult>(ResponseSnapshot snapshot, HttpRequestMessage request)
    {
        try
        {
            return Outcome.FromResult((TResult)(object)snapshot.CreateResponse(request));
        }
        catch (Exception exception)
        {
            return Outcome.FromException<TResult>(exception);
        }
    }

    private void SendAway<TResult>(
        Flight<TResult> flight, Waiter<TResult> followers, Unshareable reason, in Outcome<TResult> outcome, ResilienceContext context)
    {
        Remember(flight, (outcome.Result as HttpResponseMessage)?.StatusCode, reason, context);
        var bypass = reason is Unshareable.BodyTooLarge or Unshareable.BodyTooSlow or Unshareable.BuffersFull ? BypassReason.Limit : BypassReason.Unshared;
        foreach (var follower in new Followers<TResult>(followers))
        {
            OutcomeDistribution.SendAway(follower, bypass);
        }
    }

    /// <summary>Reports why a response is not shared, and remembers it where the next response will not be either.</summary>
    private void Remember(Flight flight, System.Net.HttpStatusCode? status, Unshareable reason, ResilienceContext context)
    {
        _telemetry.ResponseUnshared(context, reason);
        if (reason == Unshareable.Identity
            && flight.Attachment is HttpCall { Exchange.Addition: { } addition }
            && Interlocked.Exchange(ref _guardReported, 1) == 0)
        {
            _telemetry.IdentityGuard(context, addition);
        }

        if (status is { } known && !ResponseRules.IsTransient(known) && reason is not (Unshareable.BuffersFull or Unshareable.LengthMismatch))
        {
            try
            {
                _memory.Add(flight.Key);
            }
            catch (Exception)
            {
                // A key of the user's that cannot be compared is not remembered; the followers still get what is theirs.
            }
        }
    }
}
