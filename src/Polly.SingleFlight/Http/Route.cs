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

    private static readonly HttpRequestOptionsKey<KeyValuePair<Uri, Uri>> s_start = new("Polly.SingleFlight.RouteStart");

    public static Route? Of(HttpRequestMessage request) =>
        request.Options.TryGetValue(s_option, out var route) ? new Route(route.Key, route.Value) : null;

    /// <summary>
    /// Takes what routers outside the flight have left off the flight's request, whose caller asks for where they routed to. A route that
    /// has begun outside and not ended begins with the flight.
    /// </summary>
    /// <param name="request">The flight's request, with the options of its caller's.</param>
    /// <param name="uri">The address that the caller asks for.</param>
    public static void BeginAt(HttpRequestMessage request, Uri uri)
    {
        IDictionary<string, object?> options = request.Options;
        options.Remove(s_option.Key);
        if (!request.Options.TryGetValue(s_start, out var start))
        {
            return;
        }

        if (ReferenceEquals(start.Value, uri))
        {
            request.Options.Set(s_start, new(uri, uri));
        }
        else
        {
            options.Remove(s_start.Key);
        }
    }
}
