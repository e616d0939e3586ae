namespace Polly.SingleFlight.Http;

/// <summary>
/// A change of address by a router that decides alike for all callers: service discovery, or the routes of hedging. Handlers of
/// Polly.SingleFlight.Extensions before and after the router store it in the options of the request.
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
    /// Removes the routes that ended outside the flight from the flight's request, because its caller asks for their last address. A route that
    /// began outside and has not ended begins again with the flight.
    /// </summary>
    /// <param name="request">The flight's request, with the options of its caller's request.</param>
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
