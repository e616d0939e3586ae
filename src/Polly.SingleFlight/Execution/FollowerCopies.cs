using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;

namespace Polly.SingleFlight.Execution;

/// <summary>Gives each follower of one flight its own copy of the result. <see cref="FollowerService"/> lists the rules.</summary>
/// <param name="sharing">Makes the copies.</param>
/// <param name="flight">The landed flight.</param>
/// <param name="context">The flight's own context.</param>
/// <param name="original">The result, which the leader gets afterwards.</param>
/// <param name="now">The time of the landing, by the flight's clock.</param>
internal sealed class FollowerCopies<TResult>(
    ResultSharing sharing, Flight<TResult> flight, ResilienceContext context, TResult original, long now)
{
    /// <summary>The copies that were begun and are not ready. Used by the thread that serves the followers only.</summary>
    private List<Task>? _pending;

    /// <summary>Set by any copy, without a lock; read when all have ended.</summary>
    private volatile bool _anyReceived;

    /// <summary>Set by any copy, without a lock; read when all have ended.</summary>
    private volatile bool _anyAlone;

    /// <summary>Begins the copy for a follower, which is released when the copy is ready. Does not throw.</summary>
    public void Begin(Waiter<TResult> follower)
    {
        var serving = ServeAsync(follower);
        if (!serving.IsCompletedSuccessfully)
        {
            (_pending ??= []).Add(serving.AsTask());
        }
    }

    /// <summary>Waits until all followers have been served.</summary>
    public async ValueTask EndAsync()
    {
        if (_pending is not null)
        {
            await Task.WhenAll(_pending).ConfigureAwait(false);
        }

        if (_anyAlone && !_anyReceived)
        {
            sharing.OnNoCopyReceived(flight.Attachment, flight.Key, context);
        }
    }

    private async ValueTask ServeAsync(Waiter<TResult> follower)
    {
        Outcome<TResult> own;
        try
        {
            var copy = await sharing.CopyAsync(flight.Attachment, follower.Attachment, context, original).ConfigureAwait(false);
            if (copy.Alone is { } reason)
            {
                _anyAlone = true;
                FollowerService.RunAlone(follower, reason);
                return;
            }

            own = Outcome.FromResult(copy.Result!);
        }
        catch (Exception exception)
        {
            own = Outcome.FromException<TResult>(exception);
        }

        if (follower.TryClaim())
        {
            var failure = Assign(follower, own);
            _anyReceived = true;
            follower.Release(failure is null ? own : Outcome.FromException<TResult>(failure), now);
            if (failure is null)
            {
                return;
            }
        }

        await ResultOwnership<TResult>.DisposeUnreceivedAsync(own).ConfigureAwait(false);
    }

    /// <summary>Assigns a copy to its follower, which was claimed for it. Returns the exception if that fails.</summary>
    private Exception? Assign(Waiter<TResult> follower, in Outcome<TResult> own)
    {
        if (own.Exception is not null)
        {
            return null;
        }

        try
        {
            sharing.ReceiveCopy(flight.Attachment, follower.Attachment, own.Result!);
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }
}
