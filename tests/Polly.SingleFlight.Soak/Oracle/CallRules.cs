namespace Polly.SingleFlight.Soak;

/// <summary>The oracle's view of one caller: what it brings, and what it may come back with.</summary>
internal static class CallRules
{
    public static void Enter(Call call)
    {
        var context = ResilienceContextPool.Shared.Get(call.Operation, call.Plan.ContinuesOnContext, call.Token);
        Require(
            context.GetSingleFlightResult() is null && context.GetSingleFlightKey() is null
            && !context.Properties.TryGetValue(Call.Property, out _) && !context.Properties.TryGetValue(Call.Written, out _),
            "I6 somebody wrote to a context in the pool",
            call);
        call.Context = context;
        context.Properties.Set(Call.Property, call);
        context.SetSingleFlightKey(call.Key);
        call.EnteredClock = call.Arena.Clock.GetTimestamp();
        call.Forgotten = call.KeyState.Forgotten;
        call.KeyState.Enter();
        call.Entered = call.World.Next();
    }

    public static void Leave(Call call, in Receipt receipt)
    {
        call.HasReturned = true;
        call.KeyState.Leave();
        var now = call.World.Next();
        var context = call.Context;
        var result = context.GetSingleFlightResult();
        receipt.Lease?.Receive();
        Require(context.Properties.TryGetValue(Call.Property, out var tenant) && tenant == call, "I6 a caller's context tells of another", call);
        Require(context.CancellationToken == call.Token, "I6 a caller's context has another token", call);
        if (call is { Source: { } source, Token.IsCancellationRequested: false } && RegistrationProbe.HasRegistrations(source))
        {
            Require(call.Token.IsCancellationRequested, "I6 a registration was left behind", call);
        }

        var execution = OutcomeRules.ExecutionOf(call, receipt, result);
        if (execution is not null)
        {
            OutcomeRules.CheckReceived(call, execution, receipt, now);
        }
        else if (receipt.Exception is { } exception)
        {
            OutcomeRules.CheckException(call, exception);
        }

        CheckWritten(call, execution);
        if (result is not null)
        {
            ResultRules.Check(call, execution, result);
        }
        else
        {
            Require(
                receipt.Exception is OperationCanceledException && call.Token.IsCancellationRequested && call.Own is null,
                "S15 a caller without a SingleFlightResult",
                call);
        }

        if (execution is not null && execution != call.Own)
        {
            call.Worker.Tally.Follow();
        }

        ResilienceContextPool.Shared.Return(context);
    }

    /// <summary>What the callback wrote is on the context of its caller if that caller was still there, and on no other.</summary>
    private static void CheckWritten(Call call, Execution? received)
    {
        call.Context.Properties.TryGetValue(Call.Written, out var written);
        var own = call.Own;
        var expected = own is { IsAlone: true } || (own is not null && own == received) ? own : null;

        // A leader whose token has fired gets a cancellation of its own in place of the callback's.
        var mayBeEither = own is not null && received is null && call.Plan.Fault is (Fault.InnerCancellation or Fault.LeaderToken);
        Require(written == expected || (mayBeEither && written == own), "S3 what the callback wrote is on the wrong context, or missing", call);
    }

    private static void Require(bool condition, string rule, Call call)
    {
        if (!condition)
        {
            call.World.Violations.Add(rule, call.ToString());
        }
    }
}
