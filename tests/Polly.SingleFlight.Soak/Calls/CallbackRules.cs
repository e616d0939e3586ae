namespace Polly.SingleFlight.Soak;

/// <summary>What every callback checks about the place it runs in.</summary>
internal static class CallbackRules
{
    public static Execution Begin(ResilienceContext context, Call call)
    {
        var world = call.World;
        var alone = ReferenceEquals(context, call.Context);
        var execution = new Execution(call, world.Ledger.NextId(), alone, world.Next(), call.Arena.Clock.GetTimestamp())
        {
            FlightId = alone ? 0 : call.StartedFlight,
        };
        call.Own = execution;
        call.Worker.Tally.CallbackBegan(alone, elected: !alone && call.JoinedFlight != 0);
        world.Ledger.Add(execution);
        Require(call.CountCallback() == 1, "S2 a callback ran twice", execution);
        Require(!call.HasReturned, "I6 a callback started after its caller had returned", execution);
        Require(call.Plan.OwnToken != OwnToken.CanceledOnEntry, "S4 a callback ran although its caller's token had been cancelled before", execution);
        if (alone)
        {
            Require(context.CancellationToken == call.Token, "S11 alone, but not on the caller's token", execution);
            Require(call.Plan.IsKeyless || call.Arena.Allows(Hazards.Alone), "S1 a caller ran alone for no reason", execution);
        }
        else
        {
            Require(context.CancellationToken.CanBeCanceled && context.CancellationToken != call.Token, "S3 a flight has its own token", execution);
            Require(!call.Plan.IsKeyless, "S1 a caller without a key was coalesced", execution);
            Require(call.Arena.HasEvents == (call.StartedFlight != 0), "S14 a leader was not told of its flight", execution);
            call.KeyState.Begin(execution, call.Kind);
        }

        CheckContext(context, execution, "at the start");
        context.Properties.Set(Call.Written, execution);
        return execution;
    }

    public static void End(ResilienceContext context, Execution execution)
    {
        CheckContext(context, execution, "at the end");
        Require(
            context.Properties.TryGetValue(Call.Written, out var written) && written == execution,
            "S3 what the callback wrote is gone",
            execution);
        var call = execution.Call;
        execution.WasCanceled = !execution.IsAlone && context.CancellationToken.IsCancellationRequested;
        execution.WasLeft = call.HasReturned;
        Require(
            !execution.WasCanceled || call.Lane.CancelsWhenAbandoned || call.Arena.Lanes.Count > 1,
            "S6 a callback was cancelled that should have been left to finish",
            execution);
        if (call.Plan.StrikesAtEnd)
        {
            var slot = call.Random.Below(1 << 16);
            ThreadPool.UnsafeQueueUserWorkItem(static strike => strike.World.Board.Strike(strike.World, strike.slot), (call.World, slot), preferLocal: false);
        }

        if (call.Plan.OwnToken == OwnToken.CanceledAtEnd)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static call => CancellationBoard.Cancel(call.World, call.Source!), call, preferLocal: false);
        }

        execution.HasEnded = true;
        call.Worker.Tally.CallbackEnded();
    }

    public static void CheckContext(ResilienceContext context, Execution execution, string when)
    {
        var call = execution.Call;
        Require(
            context.Properties.TryGetValue(Call.Property, out var tenant) && tenant == call,
            $"S3 the callback saw another tenant's context {when}",
            execution);
        Require(context.OperationKey == call.Operation, $"S3 the operation key was wrong {when}", execution);
        Require(context.ContinueOnCapturedContext == call.Plan.ContinuesOnContext, $"S3 the context's setting was wrong {when}", execution);
        Require(
            !call.Plan.UsesAmbient || Call.Ambient.Value == call,
            $"S2 the execution context was not the caller's {when}",
            execution);
    }

    /// <summary>A registration such as user code makes; it may throw, and must not run inside whoever left (S6).</summary>
    public static CancellationTokenRegistration Register(CancellationToken token, Call call)
    {
        try
        {
            return token.Register(static call => OnFlightCanceled((Call)call!), call);
        }
        catch (InvalidOperationException)
        {
            // The token had fired already, and so our own exception came straight back.
            return default;
        }
    }

    public static async Task UntilCanceledAsync(CancellationToken token)
    {
        var canceled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (token.UnsafeRegister(static canceled => ((TaskCompletionSource)canceled!).TrySetResult(), canceled))
        {
            await canceled.Task;
        }
    }

    private static void OnFlightCanceled(Call call)
    {
        if (CancellationBoard.IsCancelingHere)
        {
            call.World.Violations.Add("S6 the flight was cancelled on the leaver's stack", call.ToString());
        }

        if (call.Plan.IgnoresCancellation)
        {
            throw new InvalidOperationException("Thrown by a registration on the flight's token.");
        }
    }

    private static void Require(bool condition, string rule, Execution execution)
    {
        if (!condition)
        {
            execution.Call.World.Violations.Add(rule, execution.ToString());
        }
    }
}
