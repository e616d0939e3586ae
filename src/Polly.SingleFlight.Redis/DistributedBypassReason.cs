namespace Polly.SingleFlight.Redis;

/// <summary>
/// Why an execution ran on this node alone.
/// </summary>
public enum DistributedBypassReason
{
    /// <summary>The execution has no key.</summary>
    NoKey,

    /// <summary>The execution was made inside the flight that it would have waited for.</summary>
    Reentrancy,

    /// <summary>Redis is down, does not answer in time, or refused the command.</summary>
    Unavailable,

    /// <summary>The leader's execution failed, and failures are not handed over, or not this one.</summary>
    Failed,

    /// <summary>What was handed over could not be verified or read.</summary>
    Undecodable,

    /// <summary>The caller waited for as long as <see cref="DistributedSingleFlightStrategyOptions{TResult}.MaxWait"/>.</summary>
    MaxWait,

    /// <summary>Three leaders in a row were lost.</summary>
    Election,

    /// <summary>The leader's result is not to be shared, is too large, or cannot be serialized.</summary>
    Unshared,

    /// <summary>A result of this key was not shared a moment ago.</summary>
    Remembered,
}
