using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Http;

/// <summary>What the followers of a landed flight get.</summary>
internal sealed class ResponseCopies(
    Func<ShouldSharePredicateArguments<HttpResponseMessage>, ValueTask<bool>>? shouldShare, UnshareableMemory memory, FlightTelemetry telemetry)
{
    /// <summary>1 after the first event of the identity guard. Written with <see cref="Interlocked"/>.</summary>
    private int _guardReported;

    public async ValueTask<SharingDecision> DecideAsync<TResult>(Attachment? leader, object key, ResilienceContext context, Outcome<TResult> outcome)
    {
        var exchange = (leader as HttpCall)?.Exchange;
        var reason = await JudgeAsync(exchange, context, outcome).ConfigureAwait(false);
        if (reason == Unshareable.None)
        {
            // Without a snapshot the outcome is an exception or null.
            return new SharingDecision(exchange?.Snapshot is null ? SharingKind.Same : SharingKind.Copies);
        }

        ReportUnshared(leader, key, (outcome.Result as HttpResponseMessage)?.StatusCode, reason, context);
        return SharingDecision.Alone(
            reason is Unshareable.BodyTooLarge or Unshareable.BodyTooSlow or Unshareable.BuffersFull ? BypassReason.Limit : BypassReason.Unshared);
    }

    public static ValueTask<FollowerCopy<TResult>> Copy<TResult>(Attachment? leader, Attachment? follower)
    {
        var snapshot = SnapshotOf(leader);
        return new(follower is HttpCall call && snapshot.Fits(call)
            ? new FollowerCopy<TResult>((TResult)(object)snapshot.CreateResponse())
            : FollowerCopy<TResult>.None(BypassReason.Unshared));
    }

    public static void Receive<TResult>(Attachment? leader, Attachment? follower, TResult copy)
    {
        if (copy is HttpResponseMessage response && follower is HttpCall call)
        {
            SnapshotOf(leader).Assign(response, call.Request);
        }
    }

    public void OnNoneReceived(Attachment? leader, object key, ResilienceContext context) =>
        ReportUnshared(leader, key, SnapshotOf(leader).Status, Unshareable.Vary, context);

    private static ResponseSnapshot SnapshotOf(Attachment? leader) => ((HttpCall)leader!).Exchange!.Snapshot!;

    /// <summary>
    /// Finds the reason why the followers do not get the outcome. Asks the predicate of the options only if there is no other reason.
    /// </summary>
    private async ValueTask<Unshareable> JudgeAsync<TResult>(HttpExchange? exchange, ResilienceContext context, Outcome<TResult> outcome)
    {
        var snapshot = exchange?.Snapshot;
        if (outcome.Result is not null && snapshot is null)
        {
            // A response without a snapshot belongs to the leader, also if no reason was recorded.
            return exchange is null or { Unshareable: Unshareable.None } ? Unshareable.NotPrepared : exchange.Unshareable;
        }

        if (shouldShare is null)
        {
            return Unshareable.None;
        }

        try
        {
            // The predicate gets a copy, because it may read the body.
            using var copy = snapshot?.CreateResponse();
            if (copy is not null)
            {
                snapshot!.Assign(copy, exchange!.Request);
            }

            var asked = outcome.Exception is { } exception
                ? Outcome.FromException<HttpResponseMessage>(exception)
                : Outcome.FromResult(copy!);
            return await ResultSharing.AskAsync(telemetry, shouldShare, context, asked).ConfigureAwait(false)
                ? Unshareable.None
                : Unshareable.ShouldShare;
        }
        catch (Exception)
        {
            // Content that the predicate put into the copy may throw when it is disposed.
            return Unshareable.ShouldShare;
        }
    }

    /// <summary>Reports why a response is not shared. Remembers the key unless the next response to it may be shareable.</summary>
    private void ReportUnshared(Attachment? leader, object key, System.Net.HttpStatusCode? status, Unshareable reason, ResilienceContext context)
    {
        telemetry.ResponseUnshared(context, reason);
        if (reason == Unshareable.Identity
            && leader is HttpCall { Exchange.Addition: { } addition }
            && Interlocked.Exchange(ref _guardReported, 1) == 0)
        {
            telemetry.IdentityGuard(context, addition);
        }

        if (status is { } known && !ResponseRules.IsTransient(known) && reason is not (Unshareable.BuffersFull or Unshareable.LengthMismatch))
        {
            try
            {
                memory.Add(key);
            }
            catch (Exception)
            {
                // A key of the user's whose comparison throws is not remembered.
            }
        }
    }
}
