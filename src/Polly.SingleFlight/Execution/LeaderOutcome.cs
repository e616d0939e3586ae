using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Execution;

/// <summary>What a leader that is still there gets when its flight has landed.</summary>
internal static class LeaderOutcome
{
    /// <summary>Gives a leader that is still there the properties that the callback wrote, and another outcome if that one is not for it.</summary>
    public static bool TryReplace<TResult>(
        in RunningFlight<TResult> running, in Outcome<TResult> outcome, ResilienceContext leader, out Outcome<TResult> own)
    {
        try
        {
            FlightContext.CopyBack(running.Context, running.Flight, leader);
            running.Parts.Sharing?.ReceiveOriginal(running.Flight.Attachment, outcome);
            if (outcome.Exception is { } exception && leader.CancellationToken.IsCancellationRequested && IsOwnCancellation(exception, leader))
            {
                own = Outcomes.Canceled<TResult>(leader);
                return true;
            }
        }
        catch (Exception exception)
        {
            // Properties that cannot be written are the leader's trouble and nobody else's.
            own = Outcome.FromException<TResult>(exception);
            return true;
        }

        own = default;
        return false;
    }

    /// <summary>
    /// Whether a leader whose token has fired is to get a cancellation that it recognises in place of this one (S4): the callback's token may have been linked to
    /// the leader's, or the exception be another.
    /// </summary>
    private static bool IsOwnCancellation(Exception exception, ResilienceContext leader) =>
        !(exception is OperationCanceledException canceled && canceled.CancellationToken == leader.CancellationToken)
        && Cancellations.In(exception) is not null;
}
