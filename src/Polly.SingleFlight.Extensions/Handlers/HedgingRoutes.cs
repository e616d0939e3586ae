using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;

namespace Polly.SingleFlight.Extensions.Handlers;

/// <summary>
/// The routes that <c>AddStandardHedgingHandler</c> was given for a client. Its outer handler sends an attempt to one of them. All resilience
/// handlers are of one type, so the outer one is known by what it leaves in the context of a request while its routes are used.
/// </summary>
/// <param name="ordered">The routes in groups that are tried in order.</param>
/// <param name="weighted">The routes in groups that are chosen by weight.</param>
/// <param name="client">The name of the client.</param>
internal sealed class HedgingRoutes(
    IOptionsMonitor<OrderedGroupsRoutingOptions> ordered, IOptionsMonitor<WeightedGroupsRoutingOptions> weighted, string client)
{
    private static readonly ResiliencePropertyKey<object> s_strategy = new("Resilience.Http.RequestRoutingStrategy");

    private static readonly HttpRequestOptionsKey<ResilienceContext?> s_context = new("Resilience.Http.ResilienceContext");

    /// <summary>Takes the place of a routing strategy that was set before. Hedging passes over it, as it is of another type.</summary>
    private static readonly object s_none = new();

    /// <summary>
    /// Notes that the handler which comes next has not set routes. Those of an attempt before, and of a handler outside, are in the context too.
    /// </summary>
    public static void Begin(HttpRequestMessage request)
    {
        if (UsedBy(request) is not null)
        {
            ContextOf(request)!.Properties.Set(s_strategy, s_none);
        }
    }

    /// <summary>Whether the handler since <see cref="Begin"/> has set routes, and one of them leads from this address to that.</summary>
    public bool HaveLed(HttpRequestMessage request, Uri from, Uri to) =>
        UsedBy(request) is not null && from.IsAbsoluteUri && to.IsAbsoluteUri && Endpoints().Any(endpoint => Leads(endpoint, from, to));

    /// <summary>A hedged attempt follows a route from where the first attempt was sent to, so it may have followed two.</summary>
    private static bool Leads(Uri endpoint, Uri from, Uri to)
    {
        var first = Follow(endpoint, from);
        return first.AbsoluteUri == to.AbsoluteUri || Follow(endpoint, first).AbsoluteUri == to.AbsoluteUri;
    }

    /// <summary>Does what hedging does, which reads the path unescaped and escapes it again.</summary>
    private static Uri Follow(Uri endpoint, Uri address) =>
        new UriBuilder(endpoint) { Path = address.LocalPath, Query = address.Query.TrimStart('?') }.Uri;

    /// <summary>The options of hedging in the defaults of all clients have no name.</summary>
    private IEnumerable<Uri> Endpoints() => new[] { client, Options.DefaultName }
        .SelectMany(name => Groups(() => ordered.Get(name).Groups).Concat(Groups(() => weighted.Get(name).Groups)))
        .SelectMany(static group => group.Endpoints)
        .Select(static endpoint => endpoint.Uri)
        .OfType<Uri>()
        .Where(static endpoint => endpoint.IsAbsoluteUri);

    /// <summary>Options that have become invalid give no routes, although hedging goes on with the last ones.</summary>
    private static IEnumerable<UriEndpointGroup> Groups(Func<IEnumerable<UriEndpointGroup>> read)
    {
        try
        {
            return read();
        }
        catch (OptionsValidationException)
        {
            return [];
        }
    }

    private static object? UsedBy(HttpRequestMessage request) =>
        ContextOf(request)?.Properties.TryGetValue(s_strategy, out var strategy) == true && strategy != s_none ? strategy : null;

    private static ResilienceContext? ContextOf(HttpRequestMessage request) =>
        request.Options.TryGetValue(s_context, out var context) ? context : null;
}
