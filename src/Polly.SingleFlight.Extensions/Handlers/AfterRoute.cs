namespace Polly.SingleFlight.Extensions.Handlers;

/// <summary>
/// Stands right behind a router that decides alike for all callers, and notes with a request where it was routed to, so that the flight
/// can tell that from an address that a handler chose for the leader alone.
/// </summary>
/// <param name="routes">The routes of hedging, of which the new address must be one; null behind service discovery.</param>
internal sealed class AfterRoute(HedgingRoutes? routes) : RequestObserver
{
    protected override void Observe(HttpRequestMessage request)
    {
        var options = request.Options;
        if (!options.TryGetValue(RouteOptions.Start, out var start) || request.RequestUri is not { } here)
        {
            return;
        }

        var isRouted = ReferenceEquals(start.Value, here) || routes is null || routes.HaveLed(request, start.Value, here);
        if (isRouted && !ReferenceEquals(start.Key, here))
        {
            options.Set(RouteOptions.Route, new(start.Key, here));
        }
        else
        {
            RouteOptions.Remove(options, RouteOptions.Route);
        }
    }
}
