namespace Polly.SingleFlight.Http;

/// <summary>
/// Where a request was sent to instead of the address it had, by a router that decides alike for all callers: service discovery, or the
/// routes of hedging. Handlers of Polly.SingleFlight.Extensions, which stand around such a router, leave it with the request.
/// </summary>
/// <param name="From">The address before the router.</param>
/// <param name="To">The address after it.</param>
internal readonly record struct Route(Uri From, Uri To)
{
    private static readonly HttpRequestOptionsKey<KeyValuePair<Uri, Uri>> s_option = new("Polly.SingleFlight.Route");

    public static Route? Of(HttpRequestMessage request) =>
        request.Options.TryGetValue(s_option, out var route) ? new Route(route.Key, route.Value) : null;
}
