namespace HttpClientDemo;

/// <summary>The requests that reached the endpoint during one wave.</summary>
internal sealed class UpstreamCount(ITokenEndpoint endpoint)
{
    private readonly Dictionary<Region, int> _before =
        Region.Supported.Append(Region.Unsupported).ToDictionary(static region => region, endpoint.CallsFor);

    public int CallsFor(Region region) => endpoint.CallsFor(region) - _before[region];

    /// <summary>Brings the numbers up to date.</summary>
    public Task UpdateAsync() => endpoint.CountAsync();
}
