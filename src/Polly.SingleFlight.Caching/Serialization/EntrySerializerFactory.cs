using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Caching.Hybrid;

namespace Polly.SingleFlight.Caching.Serialization;

/// <summary>Makes the serializers of entries.</summary>
/// <param name="services">Where the serializers of results are.</param>
internal sealed class EntrySerializerFactory(IServiceProvider services) : IHybridCacheSerializerFactory
{
    public bool TryCreateSerializer<T>([NotNullWhen(true)] out IHybridCacheSerializer<T>? serializer)
    {
        var results = new ResultSerializers(services);
        serializer = EntrySerializers.Create<T>(results) ?? (results.IsLastResort ? results.Json<T>() : null);
        return serializer is not null;
    }
}
