namespace Polly.SingleFlight.WireMock.Tests.Infrastructure;

/// <summary>Requests as the clients of a token endpoint send them.</summary>
internal static class TokenRequests
{
    public const string Business = "contoso";
    public const string Form = $"grant_type=client_credentials&business={Business}&region=Asia";

    public static string[] Regions { get; } = ["Asia", "Europe", "Africa", "America"];

    public static HttpRequestMessage Create(string region = "Asia") =>
        Create(("grant_type", "client_credentials"), ("business", Business), ("region", region));

    public static HttpRequestMessage Create(params (string Name, string Value)[] fields) => new(HttpMethod.Post, "connect/token")
    {
        Content = new FormUrlEncodedContent(fields.Select(static field => KeyValuePair.Create(field.Name, field.Value))),
    };

    /// <summary>The region that a caller asks for when callers take turns.</summary>
    public static string RegionOf(int caller) => Regions[caller % Regions.Length];
}
