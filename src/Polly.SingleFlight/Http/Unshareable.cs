namespace Polly.SingleFlight.Http;

/// <summary>The reason why the followers of a flight do not get its response. Its name is reported, and nothing else of a response is.</summary>
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

    /// <summary>The request was or may have been sent with an addition that identifies the leader (<see cref="IdentityGuard"/>).</summary>
    Identity,

    /// <summary>The body is larger than one response may be.</summary>
    BodyTooLarge,

    /// <summary>The body of unknown length did not end in time.</summary>
    BodyTooSlow,

    /// <summary>The buffer budget of all flights together is used up.</summary>
    BuffersFull,

    /// <summary>The body is longer than was announced.</summary>
    LengthMismatch,

    /// <summary>The response was not prepared although the flight had followers. The engine prevents this.</summary>
    NotPrepared,

    /// <summary>The predicate <c>ShouldShare</c> returned false or threw.</summary>
    ShouldShare,
}
