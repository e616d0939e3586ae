namespace Polly.SingleFlight.Soak;

/// <summary>Whether a caller's <see cref="SingleFlightResult"/> agrees with what happened.</summary>
internal static class ResultRules
{
    public static void Check(Call call, Execution? execution, SingleFlightResult result)
    {
        Require(result.CallerCount >= 1, "S15 a flight has a caller", call, result);
        Require(result.WaitTime >= TimeSpan.Zero, "S15 a wait is not negative", call, result);
        Require((result.FlightId == 0) == (result.Role == SingleFlightRole.Bypassed), "S15 who is bypassed has flight 0, and nobody else", call, result);
        if (result.Role == SingleFlightRole.Bypassed)
        {
            Require(result.CallerCount == 1 && result.WaitTime == TimeSpan.Zero, "S15 who is bypassed is one and did not wait", call, result);
        }

        if (execution is not null)
        {
            CheckReceived(call, execution, result);
        }
        else if (call.Own is { } own)
        {
            Require(result.Role == (own.IsAlone ? SingleFlightRole.Bypassed : SingleFlightRole.Leader), "S15 the wrong role of one who left", call, result);
        }
    }

    private static void CheckReceived(Call call, Execution execution, SingleFlightResult result)
    {
        var role = execution.IsAlone
            ? SingleFlightRole.Bypassed
            : execution == call.Own ? SingleFlightRole.Leader : SingleFlightRole.Follower;
        Require(result.Role == role, "S15 the wrong role", call, result);
        if (execution.IsAlone)
        {
            return;
        }

        Require(role == SingleFlightRole.Leader || result.CallerCount > 1, "S15 a follower is not alone", call, result);
        Require(execution.FlightId == 0 || result.FlightId == execution.FlightId, "S15 another flight's number", call, result);
        Require(execution.AgreesOnCallers(result.CallerCount), "I2 receivers of one outcome count differently many callers", call, result);
        Require(execution.ShareAsked == 0 || result.CallerCount > 1, "S7 the predicate was asked without followers", call, result);
    }

    private static void Require(bool condition, string rule, Call call, SingleFlightResult result)
    {
        if (!condition)
        {
            call.World.Violations.Add(
                rule, $"{result.Role} of flight {result.FlightId}, {result.CallerCount} callers, waited {result.WaitTime.Ticks}: {call}");
        }
    }
}
