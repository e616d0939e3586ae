using Polly.SingleFlight.Redis.Engine;
using Polly.SingleFlight.Redis.Payload;

namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>An execution that leads a flight in Redis.</summary>
/// <remarks>
/// <para>1. Let the token of the last caller give the flight up, from here to the end of the callback.</para>
/// <para>2. Have the caches outside look once more: what another node has stored before the flight began is there now.</para>
/// <para>3. Run the callback.</para>
/// <para>4. Write what is handed over, before a caller gets the result and may change it.</para>
/// <para>5. End the flight: after a cache outside has stored the result, if there is one.</para>
/// </remarks>
internal readonly struct LeaderRun<TResult, TActual, TState>(DistributedParts<TResult> parts, FlightCall<TActual, TState> call)
{
    private readonly ResilienceContext _context = call.Context;

    public async ValueTask<Outcome<TActual>> RunAsync(AcquireReply reply)
    {
        var led = parts.Group.Lead(call.Name, reply, parts.Lease, parts.CommandTimeout);
        parts.Telemetry.Led(_context);
        var flight = _context.GetInterceptedFlight();
        Outcome<TActual> outcome;
        ResultAges ages;

        // 1.
        var registration = _context.CancellationToken.UnsafeRegister(static led => _ = ((LedFlight)led!).GiveUpAsync(), led);
        try
        {
            // 2.
            var startedAt = parts.Clock.GetUtcNow();
            var found = flight is null
                ? null
                : await flight.LookAgainAsync<TActual>(parts.Builder, call.Key, _context).ConfigureAwait(_context.ContinueOnCapturedContext);
            if (found is not null)
            {
                outcome = found.Value;
                ages = AgesOf(_context.GetResultOrigin(), startedAt);
                flight = null;
            }
            else
            {
                // 3.
                (outcome, ages) = await CallAsync(startedAt).ConfigureAwait(_context.ContinueOnCapturedContext);
            }
        }
        finally
        {
            registration.Unregister();
        }

        // The token may have ended the callback before it came to the registration.
        if (outcome.Exception is not null && _context.CancellationToken.IsCancellationRequested)
        {
            _ = led.GiveUpAsync();
        }

        parts.Telemetry.LeaderEnded();
        if (!led.HasEnded)
        {
            // 4.
            var endedAt = parts.Clock.GetTimestamp();
            var handedOver = await parts.HandOver.WriteAsync(call.Kind.Format, outcome, ages, _context).ConfigureAwait(_context.ContinueOnCapturedContext);

            // 5.
            if (flight is null || outcome.Exception is not null || !EndAfterStore.TryBegin(flight, led, parts.Clock, _context, End(led, handedOver, endedAt)))
            {
                // Callers that join the local flight from then on are too late for the outcome.
                if (await End(led, handedOver, endedAt)().ConfigureAwait(_context.ContinueOnCapturedContext) is { } heldAt)
                {
                    _context.ExcludeJoinedAfter(heldAt);
                }
            }
        }

        return outcome;
    }

    private async ValueTask<(Outcome<TActual> Outcome, ResultAges Ages)> CallAsync(DateTimeOffset startedAt)
    {
        // What is there is of a cache outside, or of an earlier execution; what is there afterwards is of this one.
        var before = _context.GetResultOrigin();
        _context.SetResultOrigin(null);
        var outcome = await Nesting.RunAsync(call.Name.Text, call.Callback, _context, call.State).ConfigureAwait(_context.ContinueOnCapturedContext);
        var inside = _context.GetResultOrigin();
        if (inside is null)
        {
            _context.SetResultOrigin(before);
        }

        return (outcome, AgesOf(inside, startedAt));
    }

    private ResultAges AgesOf(IResultOrigin? origin, DateTimeOffset startedAt)
    {
        var now = parts.Clock.GetUtcNow();
        return origin is null ? new ResultAges(now - startedAt, TimeSpan.Zero, null) : ResultAges.Of(origin, now);
    }

    /// <summary>What ends the flight. It refers to nothing of the caller, who may be gone by then.</summary>
    private Func<Task<long?>> End(LedFlight led, HandedOver handedOver, long endedAt)
    {
        var (own, flight) = (parts, call.Name);
        return () => led.EndAsync(Write, OnAwaited);

        byte[] Write(long cutoff)
        {
            var since = own.Clock.GetElapsedTime(endedAt);
            var ages = handedOver.Ages;
            return Envelope.Write(
                handedOver with { Cutoff = cutoff, Ages = new ResultAges(ages.SinceStart + since, ages.SinceEnd + since, ages.UntilExpiry - since) },
                flight,
                led.Id,
                own.Group.Identity.Sealer);
        }

        void OnAwaited()
        {
            if (handedOver.Content is OutcomeContent.Value or OutcomeContent.Failure)
            {
                own.Telemetry.HandedOver(handedOver.Data.Length);
            }
            else if (handedOver.Reason == DistributedBypassReason.Unshared)
            {
                own.Unshared.Add(flight.Text);
            }
        }
    }
}
