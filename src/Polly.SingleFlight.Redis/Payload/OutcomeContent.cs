namespace Polly.SingleFlight.Redis.Payload;

/// <summary>What the outcome of a flight holds.</summary>
internal enum OutcomeContent : byte
{
    Value = 1,
    Null = 2,
    Failure = 3,

    /// <summary>The outcome is not handed over, and the followers run their own.</summary>
    Nothing = 4,
}
