namespace Polly.SingleFlight.Extensions.Handlers;

/// <summary>The options of a request in which handlers around a router keep its addresses, before and after.</summary>
internal static class RouteOptions
{
    /// <summary>The address that the caller asked for, and the one before the router.</summary>
    public static readonly HttpRequestOptionsKey<KeyValuePair<Uri, Uri>> Start = new("Polly.SingleFlight.RouteStart");

    /// <summary>The address that the caller asked for, and the one that it was routed to. The strategy reads this one.</summary>
    public static readonly HttpRequestOptionsKey<KeyValuePair<Uri, Uri>> Route = new("Polly.SingleFlight.Route");

    public static void Remove(HttpRequestOptions options, HttpRequestOptionsKey<KeyValuePair<Uri, Uri>> key) =>
        ((IDictionary<string, object?>)options).Remove(key.Key);
}
