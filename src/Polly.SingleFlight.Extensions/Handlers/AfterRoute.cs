namespace Polly.SingleFlight.Extensions.Handlers;

/// <summary>
/// Stands after a router that decides alike for all callers, and notes with a request where it was routed to, so that the flight
/// can tell that from an address that a handler chose for the leader alone.
/// </summary>
/// <param name="isDiscovery">Whether the router resolves the names of services; otherwise it is hedging, which may have no routes.</param>
internal sealed class AfterRoute(bool isDiscovery) : RequestObserver
{
    /// <summary>Set by the routes of the standard hedging handler.</summary>
    private static readonly ResiliencePropertyKey<object> s_hedgingRoutes = new("Resilience.Http.RequestRoutingStrategy");

    private static readonly HttpRequestOptionsKey<ResilienceContext?> s_context = new("Resilience.Http.ResilienceContext");

    protected override void Observe(HttpRequestMessage request)
    {
        var options = request.Options;
        if (!options.TryGetValue(RouteOptions.Start, out var start) || request.RequestUri is not { } here)
        {
            return;
        }

        var isRouted = ReferenceEquals(start.Value, here) || isDiscovery || HasHedgingRoutes(options);
        if (isRouted && !ReferenceEquals(start.Key, here))
        {
            options.Set(RouteOptions.Route, new(start.Key, here));
        }
        else
        {
            RouteOptions.Remove(options, RouteOptions.Route);
        }
    }

    private static bool HasHedgingRoutes(HttpRequestOptions options) =>
        options.TryGetValue(s_context, out var context) && context is not null && context.Properties.TryGetValue(s_hedgingRoutes, out _);
}
