using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;

namespace Polly.SingleFlight.Extensions;

/// <summary>
/// The groups of the pipelines of a service provider, by the names that a pipeline keeps when it is built again. They hang on
/// a singleton that every provider with clients has, so that no registration is needed to ask for one.
/// </summary>
internal static class SingleFlightGroups
{
    private static readonly ConditionalWeakTable<object, ConcurrentDictionary<(string Pipeline, string Instance), SingleFlightGroup>> s_groups = [];

    public static SingleFlightGroup Get(IServiceProvider services, string pipeline, string instance) =>
        s_groups.GetOrCreateValue(services.GetRequiredService<IOptionsMonitor<HttpClientFactoryOptions>>())
            .GetOrAdd((pipeline, instance), static _ => new SingleFlightGroup());
}
