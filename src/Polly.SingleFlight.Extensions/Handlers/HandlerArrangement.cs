using System.Collections.Concurrent;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Extensions.Telemetry;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Handlers;

/// <summary>
/// Arranges the handlers of a client when all of them are there: resilience handlers go inside single flight, and observers go where
/// requests are routed and where they leave.
/// </summary>
internal sealed class HandlerArrangement(IOptionsMonitor<HttpSingleFlightStrategyOptions> options, ILoggerFactory loggers)
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

        MoveInside(handlers, builder.Name ?? "");
        ObserveRoutes(handlers);

        // A primary handler that passes requests on may change them where no handler of ours sees it.
        if (builder.PrimaryHandler is not DelegatingHandler)
        {
            handlers.Add(new SendingHandler());
        }
    };

    /// <summary>
    /// Moves the resilience handlers that stand outside single flight to right behind it. A circuit breaker outside would count one failed
    /// flight as a failure of every caller. What resolves the names of services goes with them: a retry is to resolve anew.
    /// </summary>
    private void MoveInside(IList<DelegatingHandler> handlers, string client)
    {
        var own = handlers.FirstOrDefault(static handler => handler is SingleFlightHandler);
        if (own is null || KeepsOrder(client))
        {
            return;
        }

        var outside = handlers.TakeWhile(handler => handler != own).ToArray();
        if (!outside.Any(IsResilience))
        {
            return;
        }

        DelegatingHandler[] moved = [.. outside.Where(static handler => IsResilience(handler) || IsDiscovery(handler))];
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

    /// <summary>Puts observers around every run of handlers that route requests for all callers alike.</summary>
    private static void ObserveRoutes(IList<DelegatingHandler> handlers)
    {
        for (var start = 0; start < handlers.Count; start++)
        {
            var end = start;
            while (end < handlers.Count && MayRoute(handlers[end]))
            {
                end++;
            }

            var run = handlers.Skip(start).Take(end - start).ToArray();
            var isDiscovery = run.Any(IsDiscovery);

            // Standard hedging, which alone has routes, is two handlers.
            if (isDiscovery || run.Length > 1)
            {
                handlers.Insert(end, new AfterRoute(isDiscovery));
                handlers.Insert(start, new BeforeRoute());
                end += 2;
            }

            start = end;
        }
    }

    private static bool MayRoute(DelegatingHandler handler) => IsDiscovery(handler) || handler is ResilienceHandler and not SingleFlightHandler;

    /// <summary>Whether a handler holds strategies: those of Polly 8, or the policies of Polly 7 from Microsoft.Extensions.Http.Polly.</summary>
    private static bool IsResilience(DelegatingHandler handler) =>
        handler is ResilienceHandler || handler.GetType().FullName == "Microsoft.Extensions.Http.PolicyHttpMessageHandler";

    /// <summary>Whether a handler is the one of Microsoft.Extensions.ServiceDiscovery, whose type is internal.</summary>
    private static bool IsDiscovery(DelegatingHandler handler) =>
        handler.GetType().FullName?.StartsWith("Microsoft.Extensions.ServiceDiscovery.", StringComparison.Ordinal) == true;
}
