namespace Polly.SingleFlight.Soak;

/// <summary>Who may receive which outcome.</summary>
internal static class OutcomeRules
{
    /// <summary>The execution whose outcome this is, or null for what the strategy itself gave the caller, and for what is too long ago.</summary>
    public static Execution? ExecutionOf(Call call, in Receipt receipt, SingleFlightResult? result)
    {
        if (receipt.Execution is { } execution)
        {
            return execution;
        }

        if (receipt.Exception is not null)
        {
            return (receipt.Exception as ISoakFault)?.Execution;
        }

        // Nothing tells executions without a result apart, save the number of the flight.
        return result is not { Role: SingleFlightRole.Follower } ? call.Own : call.World.Ledger.FindFlight(result.FlightId);
    }

    public static void CheckReceived(Call call, Execution execution, in Receipt receipt, long now)
    {
        var own = execution == call.Own;
        var source = execution.Call;
        Require(source.Arena == call.Arena && source.Kind == call.Kind && source.KeyIndex == call.KeyIndex, "S1 an outcome of another group, key or type", call, execution);
        Require(own || !execution.IsAlone, "S11 somebody received what another ran alone", call, execution);
        Require(own || !call.Plan.IsKeyless, "S1 a caller without a key received another's outcome", call, execution);
        Require(execution.TryReceive(call.Entered, now), "I3 a stale outcome: others had received it before this or another receiver entered", call, execution);
        Require(execution.StartSequence > call.Forgotten, "S15 the outcome of a flight forgotten before the caller entered", call, execution);
        Require(!execution.WasCanceled, "I4 the callback's token had been cancelled although somebody waited", call, execution);
        Require(!execution.WasLeft || !call.Arena.HandsOver, "S5 the leader had left, and the flight was not handed over", call, execution);
        Require(own || !execution.IsUnshared, "S7 a follower received an unshared outcome", call, execution);
        Require(Equals(call.Lane.Rules, execution.Call.Lane.Rules), "S7 an outcome from a pipeline with other rules", call, execution);
        Require(own || call.Own is null, "S5 a caller whose callback ran received another's outcome", call, execution);
        Require(
            call.Lane.MaxJoinAge == long.MaxValue || call.EnteredClock - execution.StartClock <= call.Lane.MaxJoinAge,
            "S9 a caller joined a flight that was too old for it",
            call,
            execution);
        Require(
            execution.Overtaken == 0 || execution.IsAlone || call.Arena.Overtaken switch
            {
                Overtaken.Nobody => false,
                Overtaken.WhoEnteredBefore => call.Entered < execution.Overtaken && !execution.WasOvertakenForNothing,
                _ => true,
            },
            "I1 two executions of one key ran at a time, and the first had not lost its callers",
            call,
            execution);
        Require(execution.Rival is not { WasReceived: true }, "I1 two executions of one key ran at a time, and both had callers", call, execution);
        CheckFault(call, execution, receipt);
    }

    public static void CheckException(Call call, Exception exception)
    {
        switch (exception)
        {
            case FlightCanceledException:
                Require(call.KeyState.Cancels.HappenedSince(call.Entered), "S15 FlightCanceledException without a Cancel", call, null);
                break;
            case OperationCanceledException canceled:
                Require(
                    canceled.CancellationToken == call.Token && call.Token.IsCancellationRequested,
                    "S4 a cancellation that is not the caller's own",
                    call,
                    null);
                break;
            default:
                call.World.Violations.Add("An exception from nowhere", $"{call}: {exception}");
                break;
        }
    }

    private static void CheckFault(Call call, Execution execution, in Receipt receipt)
    {
        var own = execution == call.Own;
        switch ((receipt.Exception as ISoakFault)?.Fault)
        {
            case null:
                Require(receipt.Lease is null || receipt.Lease.IsCopy != own, "S10 the leader owns the original, and each follower a copy", call, execution);
                break;
            case Fault.LeaderToken:
                Require(own, "S8 a follower received the leader's cancellation", call, execution);
                break;
            case Fault.FlightToken:
                Require(own && execution.IsAlone, "S4 a caller received the cancellation of its flight", call, execution);
                break;
            case Fault.Cloner:
                Require(!own, "S10 the leader needs no copy", call, execution);
                break;
            default:
                break;
        }
    }

    private static void Require(bool condition, string rule, Call call, Execution? execution)
    {
        if (!condition)
        {
            call.World.Violations.Add(rule, $"{call} received {execution}");
        }
    }
}
