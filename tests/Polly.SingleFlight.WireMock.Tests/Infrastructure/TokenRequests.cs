namespace Polly.SingleFlight.WireMock.Tests.Infrastructure;

/// <summary>Requests as the clients of a token endpoint send them.</summary>
internal static class TokenRequests
{
    public const string Business = "contoso";

    public static string[] Regions { get; } = ["Asia", "Europe", "Africa", "America"];

    /// <param name="path">The path of the mappings, without a slash at its start.</param>
    /// <param name="region">The region, which is a field of the form.</param>
    public static HttpRequestMessage Create(string path = "connect/token", string region = "Asia") => new(HttpMethod.Post, path)
    {
        Content = new FormUrlEncodedContent(
        [
            new("grant_type", "client_credentials"),
            new("business", Business),
            new("region", region),
        ]),
    };

    public static RequestPattern InRegion(string region) => new("/connect/token") { Form = new Dictionary<string, string> { ["region"] = region } };
}
