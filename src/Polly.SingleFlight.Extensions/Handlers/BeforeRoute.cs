namespace Polly.SingleFlight.Extensions.Handlers;

/// <summary>Stands right before a router and notes the address that a request has there. See <see cref="AfterRoute"/>.</summary>
internal sealed class BeforeRoute : RequestObserver
{
    protected override void Observe(HttpRequestMessage request)
    {
        var options = request.Options;
        if (request.RequestUri is not { } here)
        {
            return;
        }

        // An earlier router may have changed the address; between the two, nobody must have.
        var from = options.TryGetValue(RouteOptions.Route, out var route) && ReferenceEquals(route.Value, here) ? route.Key : here;
        RouteOptions.Remove(options, RouteOptions.Route);
        options.Set(RouteOptions.Start, new(from, here));
        HedgingRoutes.Begin(request);
    }
}
