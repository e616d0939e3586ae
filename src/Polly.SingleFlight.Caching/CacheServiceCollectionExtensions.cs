using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Polly.SingleFlight.Caching.Serialization;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Registers what the cache strategy needs of Microsoft's <c>HybridCache</c>.
/// </summary>
public static class CacheServiceCollectionExtensions
{
    /// <summary>
    /// Adds the serializers of cached entries for Microsoft's <c>HybridCache</c>: they write the times of an entry, and let the serializer that is registered
    /// for the result write the result, as if it were stored by itself.
    /// </summary>
    /// <param name="services">The services, to which <c>AddHybridCache</c> is added as well, before or after.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is <see langword="null"/>.</exception>
    /// <remarks>
    /// Without them entries stay in the memory of the process, are handed out by reference, and a Warning is reported. Other implementations of
    /// <see cref="HybridCache"/>, such as FusionCache's, have serializers of their own and do not need them.
    /// </remarks>
    public static IServiceCollection AddSingleFlightCacheSerializers(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHybridCacheSerializerFactory, EntrySerializerFactory>());
        return services;
    }
}
