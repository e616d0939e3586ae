using System.Runtime.CompilerServices;
using Microsoft.Extensions.Caching.Hybrid;

namespace Polly.SingleFlight.Caching.Serialization;

/// <summary>Finds out how a <see cref="HybridCache"/> serializes: it is given a probe, which notices what is done to it.</summary>
internal static class EntryFormats
{
    private const string MicrosoftsCache = "Microsoft.Extensions.Caching.Hybrid";

    private static readonly ConditionalWeakTable<HybridCache, object> s_known = [];

    private static readonly HybridCacheEntryOptions s_options = new()
    {
        Flags = HybridCacheEntryFlags.DisableDistributedCache,
        Expiration = TimeSpan.FromSeconds(1),
    };

    public static EntryFormat Of(HybridCache cache)
    {
        if (s_known.TryGetValue(cache, out var known))
        {
            return (EntryFormat)known;
        }

        var format = Probe(cache);
        s_known.AddOrUpdate(cache, format);
        return format;
    }

    private static EntryFormat Probe(HybridCache cache)
    {
        var probe = new SerializerProbe();
        try
        {
            _ = ObserveAsync(cache.SetAsync("Polly.SingleFlight.Caching probe", probe, s_options).AsTask());
        }
        catch (Exception)
        {
            // A cache that fails at this fails at everything else, where it is reported.
        }

        var isMicrosofts = cache.GetType().Assembly.GetName().Name == MicrosoftsCache;
        return probe.IsWrittenBySerializer ? EntryFormat.Serialized
            : isMicrosofts ? EntryFormat.ByReference
            : probe.IsRead ? EntryFormat.Json
            : EntryFormat.Plain;
    }

    private static async Task ObserveAsync(Task pending)
    {
        try
        {
            await pending.ConfigureAwait(false);
        }
        catch (Exception)
        {
            // As above.
        }
    }
}
