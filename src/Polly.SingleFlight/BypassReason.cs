namespace Polly.SingleFlight;

/// <summary>
/// Why an execution was not coalesced.
/// </summary>
public enum BypassReason
{
    /// <summary>The key was <see langword="null"/> or an empty string.</summary>
    NoKey = 0,

    /// <summary>The caller runs inside a flight that, directly or through other flights, would have to wait for itself.</summary>
    Reentrancy = 1,

    /// <summary>The flight's outcome was not to be shared, so the follower ran its own callback.</summary>
    Unshared = 2,

    /// <summary>The caller had been re-elected or handed over as often as it may be, so it ran its own callback.</summary>
    Election = 3,

    /// <summary>The HTTP request asked not to be coalesced, or is of a kind that never is.</summary>
    Request = 4,

    /// <summary>An earlier HTTP response to the same request could not be shared, and that is remembered.</summary>
    Remembered = 5,

    /// <summary>A size or memory limit was reached by the body of an HTTP request or response.</summary>
    Limit = 6,
}
