using System.Collections.Concurrent;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Extensions.Telemetry;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Handlers;

/// <summary>
/// Arranges the handlers of a client when all of them are there: those of resilience and service discovery go inside single flight, and
/// observers go where requests are routed and where they leave.
/// </summary>
internal sealed class HandlerArrangement(
    IOptionsMonitor<HttpSingleFlightStrategyOptions> options,
    IOptionsMonitor<OrderedGroupsRoutingOptions> orderedRoutes,
    IOptionsMonitor<WeightedGroupsRoutingOptions> weightedRoutes,
    ILoggerFactory loggers)
    : IHttpMessageHandlerBuilderFilter
{
    private readonly ILogger _logger = Log.CreateLogger(loggers);
    private readonly ConcurrentDictionary<string, bool> _reported = new();
    private readonly ConcurrentDictionary<string, bool> _keepsOrder = new();

    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        var handlers = builder.AdditionalHandlers;
        if (!handlers.Any(static handler => handler is ResilienceHandler))
        {
            return;
        }

        var client = builder.Name ?? "";
        MoveInside(handlers, client);
        ObserveRoutes(handlers, client);

        // A primary handler that passes requests on may change them where no handler of ours sees it.
        if (builder.PrimaryHandler is not DelegatingHandler)
        {
            handlers.Add(new SendingHandler());
        }
    };

    /// <summary>
    /// Moves the handlers of resilience and of service discovery that stand outside single flight to right behind it. A circuit breaker outside
    /// would count one failed flight as a failure of every caller. A name that was resolved outside would make a write end the flights of one
    /// endpoint, and not those of the others; and a retry is to resolve anew.
    /// </summary>
    private void MoveInside(IList<DelegatingHandler> handlers, string client)
    {
        var own = handlers.FirstOrDefault(static handler => handler is SingleFlightHandler);
        if (own is null || KeepsOrder(client))
        {
            return;
        }

        DelegatingHandler[] moved = [.. handlers.TakeWhile(handler => handler != own).Where(static handler => IsResilience(handler) || IsDiscovery(handler))];
        if (moved is [])
        {
            return;
        }

        foreach (var handler in moved)
        {
            handlers.Remove(handler);
        }

        var place = handlers.IndexOf(own) + 1;
        foreach (var handler in moved)
        {
            handlers.Insert(place++, handler);
        }

        if (_reported.TryAdd(client, true))
        {
            Log.HandlersMoved(_logger, client, string.Join(", ", moved.Select(static handler => handler.GetType().Name)));
        }
    }

    /// <summary>
    /// What the options say, or what they said last: options that have become invalid are refused whenever they are asked for,
    /// and the next handlers of the client are to work as the last ones do.
    /// </summary>
    private bool KeepsOrder(string client)
    {
        try
        {
            return _keepsOrder[client] = options.Get(client).KeepHandlerOrder;
        }
        catch (Exception exception) when (_keepsOrder.TryGetValue(client, out var last))
        {
            Log.OptionsRejected(_logger, client, exception.Message);
            return last;
        }
    }

    /// <summary>
    /// Puts observers around each handler that may route requests for all callers alike, one by one: what another handler does, wherever it
    /// stands, is not excused by that.
    /// </summary>
    private void ObserveRoutes(IList<DelegatingHandler> handlers, string client)
    {
        var all = handlers.ToArray();
        for (var i = 0; i < all.Length; i++)
        {
            // Standard hedging, which alone has routes, is two handlers, and the outer one routes.
            var mayHedge = IsOthersResilience(all[i]) && i + 1 < all.Length && IsOthersResilience(all[i + 1]);
            if (mayHedge || IsDiscovery(all[i]))
            {
                var place = handlers.IndexOf(all[i]);
                handlers.Insert(place + 1, new AfterRoute(mayHedge ? new HedgingRoutes(orderedRoutes, weightedRoutes, client) : null));
                handlers.Insert(place, new BeforeRoute());
            }
        }
    }

    private static bool IsOthersResilience(DelegatingHandler handler) => handler is ResilienceHandler and not SingleFlightHandler;

    /// <summary>Whether a handler holds strategies: those of Polly 8, or the policies of Polly 7 from Microsoft.Extensions.Http.Polly.</summary>
    private static bool IsResilience(DelegatingHandler handler) =>
        handler is ResilienceHandler || handler.GetType().FullName == "Microsoft.Extensions.Http.PolicyHttpMessageHandler";

    /// <summary>Whether a handler is the one of Microsoft.Extensions.ServiceDiscovery, whose type is internal.</summary>
    private static bool IsDiscovery(DelegatingHandler handler) =>
        handler.GetType().FullName?.StartsWith("Microsoft.Extensions.ServiceDiscovery.", StringComparison.Ordinal) == true;
}
