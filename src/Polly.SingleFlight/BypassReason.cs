namespace Polly.SingleFlight;

/// <summary>
/// Why an execution was not coalesced.
/// </summary>
public enum BypassReason
{
    /// <summary>
    /// The key was <see langword="null"/> or an empty string. For HTTP also: the context holds no request, its URI is not absolute, or
    /// the result type of the execution is not <see cref="HttpResponseMessage"/> itself.
    /// </summary>
    NoKey = 0,

    /// <summary>The caller runs inside a flight that, directly or through other flights, would have to wait for itself.</summary>
    Reentrancy = 1,

    /// <summary>The flight's outcome was not to be shared, so the follower ran its own callback.</summary>
    Unshared = 2,

    /// <summary>The caller had been re-elected or handed over as often as it may be, so it ran its own callback.</summary>
    Election = 3,

    /// <summary>An earlier HTTP response to the same request could not be shared, and that is remembered.</summary>
    Remembered = 4,

    /// <summary>The HTTP response was too large, too slow or one too many to be held in memory, so the follower sent its own request.</summary>
    Limit = 5,

    /// <summary>The method of the HTTP request is not one of those that are coalesced.</summary>
    Method = 6,

    /// <summary>A header of the HTTP request says that it is for itself alone.</summary>
    Header = 7,

    /// <summary>The body of the HTTP request is a stream or of unknown length, so it cannot be compared without being used up.</summary>
    UnbufferedBody = 8,

    /// <summary>The body of the HTTP request is larger than is read into memory.</summary>
    BodyTooLarge = 9,

    /// <summary>The HTTP request is not a token request of the client credentials grant, and only those are coalesced.</summary>
    NotClientCredentials = 10,

    /// <summary>The HTTP request asked not to be coalesced.</summary>
    OptedOut = 11,

    /// <summary>The HTTP request is a GET or HEAD with a body, which has no meaning that two servers agree on (RFC 9110, 9.3.1).</summary>
    UnexpectedBody = 12,
}
