using System.Buffers;
using Microsoft.Extensions.Caching.Hybrid;

namespace Polly.SingleFlight.Caching.Serialization;

/// <summary>Tells a probe that the serializers of this package are in use.</summary>
internal sealed class ProbeSerializer : IHybridCacheSerializer<SerializerProbe>
{
    public void Serialize(SerializerProbe value, IBufferWriter<byte> target)
    {
        value.IsWrittenBySerializer = true;
        target.GetSpan(1)[0] = 0;
        target.Advance(1);
    }

    public SerializerProbe Deserialize(ReadOnlySequence<byte> source) => new();
}
