namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>How a callback ends.</summary>
internal enum Ending
{
    Result,
    Failure,

    /// <summary>A cancellation that a time-out explains.</summary>
    TimeOut,

    /// <summary>A cancellation without a token.</summary>
    Cancellation,

    /// <summary>A cancellation that carries the leader's token, fired or not.</summary>
    CancellationOfLeader,

    /// <summary>A cancellation that carries the token of any caller whose token has fired; of any caller at all if there is none.</summary>
    CancellationOfOther,

    /// <summary>An exception that comes from what a leader takes away when it leaves.</summary>
    LossOfLeader,
}
