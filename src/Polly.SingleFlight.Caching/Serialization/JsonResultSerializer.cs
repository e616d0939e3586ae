using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Extensions.Caching.Hybrid;

namespace Polly.SingleFlight.Caching.Serialization;

/// <summary>Writes results with System.Text.Json as Microsoft's cache does where nothing is registered.</summary>
[RequiresUnreferencedCode("Serializes by reflection.")]
[RequiresDynamicCode("Serializes by reflection.")]
internal sealed class JsonResultSerializer<TResult>(JsonSerializerOptions options) : IHybridCacheSerializer<TResult>
{
    [UnconditionalSuppressMessage("Trimming", "IL2046", Justification = "The class says it.")]
    [UnconditionalSuppressMessage("AOT", "IL3051", Justification = "The class says it.")]
    public void Serialize(TResult value, IBufferWriter<byte> target)
    {
        using var writer = new Utf8JsonWriter(target);
        JsonSerializer.Serialize(writer, value, options);
    }

    public TResult Deserialize(ReadOnlySequence<byte> source)
    {
        var reader = new Utf8JsonReader(source);
        return JsonSerializer.Deserialize<TResult>(ref reader, options)!;
    }
}
