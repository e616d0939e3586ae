using Polly.SingleFlight.Redis.Engine;
using Polly.SingleFlight.Redis.Payload;

namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>One execution with a key, from its first question to Redis to its outcome.</summary>
/// <remarks>
/// <para>1. Ask Redis, which says to lead (2), to follow (3), or has the outcome of the flight that was followed (4); if it says nothing of use, run alone (5).</para>
/// <para>2. Lead: run the callback, and end the flight. See <see cref="LeaderRun{TResult, TActual, TState}"/>.</para>
/// <para>3. Follow: wait for a message, the end of the lease or the next look, whichever is first, and ask again. An answer that is late while Redis answers others is no reason to stop.</para>
/// <para>4. Return the outcome; or, if the leader handed nothing over that can be used, run alone.</para>
/// <para>5. Run alone: call the callback as if the strategy were not there.</para>
/// </remarks>
internal sealed class DistributedCall<TResult, TActual, TState>(DistributedParts<TResult> parts, FlightCall<TActual, TState> call)
{
    /// <summary>How often a caller may find its leader lost before it runs alone.</summary>
    private const int MaxElections = 3;

    private readonly RedisEngine _engine = parts.Group.Engine;
    private readonly ResilienceContext _context = call.Context;
    private int _elections;

    public async ValueTask<Outcome<TActual>> RunAsync()
    {
        _context.NoteJoins();
        await EndAfterStore.EndPendingAsync(_context).ConfigureAwait(_context.ContinueOnCapturedContext);
        using var follower = new Follower(_engine.Inbox, parts.Clock, parts.MaxWait);
        try
        {
            while (true)
            {
                // 1. Asks Redis.
                var reply = await AskAsync(follower).ConfigureAwait(_context.ContinueOnCapturedContext);
                switch (reply.Kind)
                {
                    case AcquireKind.Led:
                        ReportWait(follower);
                        follower.Dispose();
                        return await new LeaderRun<TResult, TActual, TState>(parts, call).RunAsync(reply).ConfigureAwait(_context.ContinueOnCapturedContext);

                    case AcquireKind.Outcome:
                        // 4. Returns the outcome.
                        if (await FinishAsync(reply, follower).ConfigureAwait(_context.ContinueOnCapturedContext) is { } outcome)
                        {
                            return outcome;
                        }

                        // It is for those who came before. This caller starts afresh, which is no election.
                        follower.Leave();
                        break;

                    case AcquireKind.Follows:
                        // 3. Follows.
                        Join(follower, reply);
                        if (!await follower.WaitAsync(reply.Left, _context.CancellationToken).ConfigureAwait(_context.ContinueOnCapturedContext))
                        {
                            return await RunAloneAsync(DistributedBypassReason.MaxWait, follower).ConfigureAwait(_context.ContinueOnCapturedContext);
                        }

                        break;

                    case AcquireKind.Late when follower.MayAskAgain && _engine.IsUp(call.Name):
                        if (!await follower.WaitAgainAsync(_context.CancellationToken).ConfigureAwait(_context.ContinueOnCapturedContext))
                        {
                            return await RunAloneAsync(DistributedBypassReason.MaxWait, follower).ConfigureAwait(_context.ContinueOnCapturedContext);
                        }

                        break;

                    default:
                        return await RunAloneAsync(
                            reply.Kind == AcquireKind.None && follower.Leader.Length > 0 ? DistributedBypassReason.Election : DistributedBypassReason.Unavailable,
                            follower).ConfigureAwait(_context.ContinueOnCapturedContext);
                }
            }
        }
        catch (OperationCanceledException) when (_context.CancellationToken.IsCancellationRequested)
        {
            ReportWait(follower);
            parts.Telemetry.FollowerEnded();
            return Outcomes.Canceled<TActual>(_context);
        }
    }

    private async ValueTask<AcquireReply> AskAsync(Follower follower)
    {
        if (!parts.Group.IsOpen || !_engine.IsUp(call.Name) || !await _engine.OpenAsync(parts.CommandTimeout, _context.CancellationToken).ConfigureAwait(false))
        {
            return AcquireReply.Unavailable;
        }

        var request = new AcquireRequest(
            FlightName.NewLeader(), parts.Lease, parts.MaxJoinAge, parts.CommandTimeout, follower.Leader, MayJoinAnother: _elections < MaxElections || follower.Leader.Length == 0);
        return await _engine.AcquireAsync(call.Name, request, _context.CancellationToken).ConfigureAwait(false);
    }

    private void Join(Follower follower, in AcquireReply reply)
    {
        if (follower.Leader == reply.Leader)
        {
            return;
        }

        if (follower.Leader.Length > 0)
        {
            _elections++;
        }

        follower.Join(reply.Leader, reply.ServerTime);
        parts.Telemetry.Joined(_context);
    }

    /// <summary>Returns what was handed over, or runs alone; null if it was handed over to others.</summary>
    private async ValueTask<Outcome<TActual>?> FinishAsync(AcquireReply reply, Follower follower)
    {
        if (Envelope.Read(reply.Outcome, call.Name, follower.Leader, parts.Group.Identity.Sealer) is not { } handedOver)
        {
            return await RunAloneAsync(DistributedBypassReason.Undecodable, follower).ConfigureAwait(_context.ContinueOnCapturedContext);
        }

        return handedOver.Cutoff != 0 && follower.RegisteredAt > handedOver.Cutoff
            ? null
            : await ReturnAsync(handedOver, reply, follower).ConfigureAwait(_context.ContinueOnCapturedContext);
    }

    private ValueTask<Outcome<TActual>> ReturnAsync(in HandedOver handedOver, in AcquireReply reply, Follower follower)
    {
        if (handedOver.Content == OutcomeContent.Nothing)
        {
            if (handedOver.Reason == DistributedBypassReason.Unshared)
            {
                parts.Unshared.Add(call.Name.Text);
            }

            return RunAloneAsync(handedOver.Reason == DistributedBypassReason.Unshared ? DistributedBypassReason.Unshared : DistributedBypassReason.Failed, follower);
        }

        if (parts.HandOver.Read(call.Kind.Format, handedOver) is not { } outcome)
        {
            return RunAloneAsync(
                handedOver.Content == OutcomeContent.Failure ? DistributedBypassReason.Failed : DistributedBypassReason.Undecodable, follower);
        }

        if (outcome.Exception is null)
        {
            var written = parts.Clock.GetUtcNow() - (RedisEngine.OutcomeTime - reply.Left);
            _context.SetResultOrigin(handedOver.Ages.ToOrigin(written));
        }

        _context.ExcludeJoinedAfter(LastJoin(handedOver, reply, follower));
        ReportWait(follower);
        parts.Telemetry.FollowerEnded();
        return new(outcome);
    }

    /// <summary>
    /// The time on this machine until which no caller of any node can have held the outcome. Callers here that joined later get another.
    /// </summary>
    private long LastJoin(in HandedOver handedOver, in AcquireReply reply, Follower follower)
    {
        // Without a message: when the outcome was written, in whole milliseconds.
        var heldAt = follower.EndedAt != 0 ? follower.EndedAt : reply.ServerTime - (long)(RedisEngine.OutcomeTime - reply.Left).TotalMicroseconds - 1000;
        if (handedOver.Cutoff != 0)
        {
            heldAt = Math.Min(heldAt, handedOver.Cutoff);
        }

        // A clock that was set back says nothing.
        return heldAt > reply.ServerTime ? long.MinValue + 1 : _engine.LastBefore(call.Name, heldAt);
    }

    /// <summary>5. Runs alone.</summary>
    private async ValueTask<Outcome<TActual>> RunAloneAsync(DistributedBypassReason reason, Follower follower)
    {
        ReportWait(follower);
        follower.Dispose();
        if (_context.CancellationToken.IsCancellationRequested)
        {
            return Outcomes.Canceled<TActual>(_context);
        }

        parts.Telemetry.Bypassed(_context, reason);
        return await Outcomes.InvokeAsync(call.Callback, _context, call.State).ConfigureAwait(_context.ContinueOnCapturedContext);
    }

    private void ReportWait(Follower follower)
    {
        if (follower.TakeWaited() is { } waited)
        {
            parts.Telemetry.Waited(waited);
        }
    }
}
