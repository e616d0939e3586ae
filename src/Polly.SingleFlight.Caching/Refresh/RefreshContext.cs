using System.Collections.ObjectModel;

namespace Polly.SingleFlight.Caching.Refresh;

/// <summary>The context of a refresh, with a copy of the properties of the caller that set it off.</summary>
internal static class RefreshContext
{
    public static ResilienceContext Rent(ResilienceContext caller, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(caller.OperationKey, continueOnCapturedContext: false, cancellationToken);

        // Polly offers no way to enumerate properties, but a public one to exchange their dictionary: out and straight back.
        caller.Properties.SetProperties(ReadOnlyDictionary<string, object?>.Empty, out var entries);
        caller.Properties.SetProperties(entries, out _);
        context.Properties.SetProperties(ReadOnlyDictionary<string, object?>.Empty, out var own);
        context.Properties.SetProperties(own, out _);
        foreach (var (name, value) in entries)
        {
            own[name] = value;
        }

        context.SetFlightInterceptor(null);
        context.SetResultOrigin(null);
        context.ClearSingleFlightResult();
        return context;
    }
}
