namespace Polly.SingleFlight.Http;

/// <summary>Why a response is not for a flight's followers. The names are reported; nothing else of a response is.</summary>
internal enum Unshareable
{
    None = 0,

    /// <summary>A status below 200, which is not final.</summary>
    NotFinal,

    /// <summary><c>Set-Cookie</c>.</summary>
    SetCookie,

    /// <summary><c>Authentication-Info</c> or <c>Proxy-Authentication-Info</c> (RFC 9110, 11.6.3), part of one client's dialogue.</summary>
    AuthenticationInfo,

    /// <summary><c>Clear-Site-Data</c>.</summary>
    ClearSiteData,

    /// <summary><c>Vary</c> is <c>*</c>, or names a header that was added inside the flight, or one in which all followers differ from the leader.</summary>
    Vary,

    /// <summary><c>Cache-Control: no-store</c>.</summary>
    NoStore,

    /// <summary>An event stream, or parts that replace each other: a body without an end.</summary>
    Stream,

    /// <summary>The request was sent with something that was not in the key and may say who asked, or it cannot be known whether it was.</summary>
    Identity,

    /// <summary>The body is larger than one response may be.</summary>
    BodyTooLarge,

    /// <summary>The body did not say how long it is, and did not end in time.</summary>
    BodyTooSlow,

    /// <summary>All flights together hold as much as they may.</summary>
    BuffersFull,

    /// <summary>The body is longer than was announced.</summary>
    LengthMismatch,

    /// <summary>The response was not made ready to be shared, which is not meant to happen.</summary>
    NotPrepared,

    /// <summary>The predicate of the options said so.</summary>
    ShouldShare,
}
