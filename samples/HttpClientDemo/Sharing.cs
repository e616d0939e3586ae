namespace HttpClientDemo;

/// <summary>What callers share.</summary>
internal enum Sharing
{
    /// <summary>Nothing: every caller sends a request of its own.</summary>
    Nothing,

    /// <summary>Equal requests of the client that are in flight.</summary>
    Http,

    /// <summary>Tokens that are cached, and else the call that gets them.</summary>
    Cache,
}
