namespace Polly.SingleFlight.Soak;

/// <summary>Event callbacks that check whose context they are told of, and sometimes yield or throw.</summary>
internal sealed class EventCallbacks(Arena arena)
{
    private int _count;

    public void AddTo(SingleFlightStrategyOptions options)
    {
        options.OnFlightStarted = args =>
        {
            var call = CallOf(args.Context, "started");
            Require(call.StartedFlight == 0 && args.FlightId != 0, "S14 a leader was told twice", call);
            Require(args.CallerCount == 1 || (args.CallerCount > 1 && call.JoinedFlight != 0), "S14 only who was elected starts with others", call);
            call.StartedFlight = args.FlightId;
            return Misbehave(call);
        };
        options.OnFlightJoined = args =>
        {
            var call = CallOf(args.Context, "joined");
            Require(call.JoinedFlight == 0 && args.FlightId != 0, "S14 a follower was told twice", call);
            Require(args.CallerCount > 1, "S14 who joins is not the first", call);
            call.JoinedFlight = args.FlightId;
            return Misbehave(call);
        };
        options.OnFlightCompleted = args =>
        {
            // The flight's own context tells of the same call when the leader has left, and then that call may have returned.
            var call = CallOf(args.Context, "completed", mayHaveReturned: true);
            Require(args.FlightId == call.StartedFlight, "S14 another flight's end was reported", call);
            return Misbehave(call);
        };
        options.OnFlightAbandoned = args =>
        {
            var call = CallOf(args.Context, "abandoned");
            Require(call.Token.IsCancellationRequested, "S6 abandoned by a caller who stayed", call);
            return Misbehave(call);
        };
        options.OnFlightBypassed = args =>
        {
            var call = CallOf(args.Context, "bypassed");
            Require((args.Reason == BypassReason.NoKey) == call.Plan.IsKeyless, "S14 bypassed for the wrong reason", call);
            return Misbehave(call);
        };
    }

    private Call CallOf(ResilienceContext context, string what, bool mayHaveReturned = false)
    {
        if (!context.Properties.TryGetValue(Call.Property, out var call) || call is null)
        {
            arena.World.Violations.Add("I6 an event on a context that nobody uses", $"{arena} {what}");
            throw new InvalidOperationException("There is no call to go with this event.");
        }

        Require(call.Arena == arena, "I6 an event on another tenant's context", call);
        Require(!call.HasReturned || (mayHaveReturned && !ReferenceEquals(context, call.Context)), "I6 an event on the context of a caller who had returned", call);
        return call;
    }

    private ValueTask Misbehave(Call call) => (Interlocked.Increment(ref _count) % 64) switch
    {
        1 => throw new SoakEventException(call),
        2 or 3 or 4 => YieldAsync(null),
        5 => YieldAsync(new SoakEventException(call)),
        _ => default,
    };

    private static async ValueTask YieldAsync(Exception? exception)
    {
        await Task.Yield();
        if (exception is not null)
        {
            throw exception;
        }
    }

    private void Require(bool condition, string rule, Call call)
    {
        if (!condition)
        {
            arena.World.Violations.Add(rule, call.ToString());
        }
    }
}
