using System.Buffers;
using Microsoft.Extensions.Caching.Hybrid;

namespace Polly.SingleFlight.Caching.Serialization;

/// <inheritdoc cref="EntrySerializer{TResult}"/>
internal sealed class ImmutableEntrySerializer<TResult>(IHybridCacheSerializer<TResult> results) : IHybridCacheSerializer<ImmutableCacheEntry<TResult>>
{
    private readonly EntrySerializer<TResult> _entries = new(results);

    public void Serialize(ImmutableCacheEntry<TResult> value, IBufferWriter<byte> target) => _entries.Serialize(value.Entry!, target);

    public ImmutableCacheEntry<TResult> Deserialize(ReadOnlySequence<byte> source) => new(_entries.Deserialize(source));
}
