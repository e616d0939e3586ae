namespace HttpClientDemo;

/// <summary>The slow upstream: a token endpoint on a loopback port, and what reached it.</summary>
internal interface ITokenEndpoint : IAsyncDisposable
{
    /// <summary>What it is, for a reader.</summary>
    string Name { get; }

    /// <summary>What the paths of requests are relative to.</summary>
    Uri Address { get; }

    /// <summary>How many requests for the region had arrived when they were last counted.</summary>
    int CallsFor(Region region);

    /// <summary>Counts the requests that have arrived, where that takes a look at another process.</summary>
    Task CountAsync();
}
