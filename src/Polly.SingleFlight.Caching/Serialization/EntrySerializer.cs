using System.Buffers;
using System.Buffers.Binary;
using Microsoft.Extensions.Caching.Hybrid;

namespace Polly.SingleFlight.Caching.Serialization;

/// <summary>
/// Writes the times of an entry, and lets the serializer of the result write the result behind them.
/// </summary>
/// <remarks>
/// 48 bytes in little-endian order: format (1), flags (1), 6 unused, then the id, and the UTC ticks of start, store, expiry and refresh (8 each; 0 for no refresh). The
/// result follows, unless the flags say that it is null, or that there is none since the entry is a mark of eviction.
/// </remarks>
internal sealed class EntrySerializer<TResult>(IHybridCacheSerializer<TResult> results) : IHybridCacheSerializer<CacheEntry<TResult>>
{
    private const byte Format = 1;
    private const byte IsEvicted = 1;
    private const byte IsNull = 2;
    private const int HeaderSize = 48;

    public void Serialize(CacheEntry<TResult> value, IBufferWriter<byte> target)
    {
        var header = target.GetSpan(HeaderSize)[..HeaderSize];
        header.Clear();
        header[0] = Format;
        header[1] = (byte)((value.IsEvicted ? IsEvicted : 0) | (value.Value is null ? IsNull : 0));
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], value.Id);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], value.StartedAt.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], value.StoredAt.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], value.ExpiresAt.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], value.RefreshAt?.UtcTicks ?? 0);
        target.Advance(HeaderSize);
        if (!value.IsEvicted && value.Value is not null)
        {
            results.Serialize(value.Value, target);
        }
    }

    public CacheEntry<TResult> Deserialize(ReadOnlySequence<byte> source)
    {
        if (source.Length < HeaderSize)
        {
            throw new InvalidDataException("This is no entry of Polly.SingleFlight.Caching: it is too short.");
        }

        Span<byte> header = stackalloc byte[HeaderSize];
        source.Slice(0, HeaderSize).CopyTo(header);
        if (header[0] != Format)
        {
            throw new InvalidDataException($"This is no entry of Polly.SingleFlight.Caching that this version reads: its format is {header[0]}.");
        }

        var refreshAt = BinaryPrimitives.ReadInt64LittleEndian(header[40..]);
        return new CacheEntry<TResult>
        {
            Id = BinaryPrimitives.ReadInt64LittleEndian(header[8..]),
            StartedAt = At(BinaryPrimitives.ReadInt64LittleEndian(header[16..])),
            StoredAt = At(BinaryPrimitives.ReadInt64LittleEndian(header[24..])),
            ExpiresAt = At(BinaryPrimitives.ReadInt64LittleEndian(header[32..])),
            RefreshAt = refreshAt == 0 ? null : At(refreshAt),
            IsEvicted = (header[1] & IsEvicted) != 0,
            Value = (header[1] & (IsEvicted | IsNull)) != 0 ? default : results.Deserialize(source.Slice(HeaderSize)),
        };
    }

    private static DateTimeOffset At(long ticks) => new(ticks, TimeSpan.Zero);
}
