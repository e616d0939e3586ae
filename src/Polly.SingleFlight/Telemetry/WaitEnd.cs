namespace Polly.SingleFlight.Telemetry;

/// <summary>How a follower's wait ended.</summary>
internal enum WaitEnd
{
    /// <summary>The follower was given an outcome.</summary>
    Served,

    /// <summary>Its own token fired.</summary>
    Left,

    /// <summary>It leads the next flight of the key, because the one it waited for has nothing for it.</summary>
    Elected,

    /// <summary>It runs its own callback for itself alone.</summary>
    Alone,
}
