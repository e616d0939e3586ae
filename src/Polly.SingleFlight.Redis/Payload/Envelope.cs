using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Polly.SingleFlight.Redis.Payload;

/// <summary>
/// Writes what is handed over so that it can be read by the followers of that flight only.
/// </summary>
/// <remarks>
/// One byte says how the rest is bound to the flight and its leader: 1, a SHA-256 of both precedes the body; 2, the body is sealed, with both as associated data. The body,
/// little-endian: content (1), reason (1), flags (2; 1: there is an expiry), cutoff (8), ticks since the start, since the end, and until the expiry (8 each), and the data.
/// </remarks>
internal static class Envelope
{
    private const byte Plain = 1;
    private const byte Sealed = 2;
    private const int HeaderSize = 36;
    private const ushort HasExpiry = 1;

    public static byte[] Write(in HandedOver handedOver, FlightName name, string leader, Sealer? sealer)
    {
        var body = new byte[HeaderSize + handedOver.Data.Length];
        body[0] = (byte)handedOver.Content;
        body[1] = (byte)handedOver.Reason;
        var ages = handedOver.Ages;
        BinaryPrimitives.WriteUInt16LittleEndian(body.AsSpan(2), ages.UntilExpiry is null ? (ushort)0 : HasExpiry);
        BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(4), handedOver.Cutoff);
        BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(12), ages.SinceStart.Ticks);
        BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(20), ages.SinceEnd.Ticks);
        BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(28), ages.UntilExpiry?.Ticks ?? 0);
        handedOver.Data.Span.CopyTo(body.AsSpan(HeaderSize));
        var bound = BoundTo(name, leader);
        return sealer is null ? [Plain, .. Hash(body, bound), .. body] : [Sealed, .. sealer.Seal(body, bound)];
    }

    /// <summary>Reads what was handed over; null if it is not of this flight and leader, or was changed.</summary>
    public static HandedOver? Read(ReadOnlyMemory<byte> written, FlightName name, string leader, Sealer? sealer)
    {
        var bound = BoundTo(name, leader);
        if (Unwrap(written, bound, sealer) is not { Length: >= HeaderSize } body)
        {
            return null;
        }

        var header = body.Span;
        var hasExpiry = (BinaryPrimitives.ReadUInt16LittleEndian(header[2..]) & HasExpiry) != 0;
        var ages = new ResultAges(Span(header[12..]), Span(header[20..]), hasExpiry ? Span(header[28..]) : null);
        return new HandedOver((OutcomeContent)header[0], (DistributedBypassReason)header[1], ages, body[HeaderSize..])
        {
            Cutoff = BinaryPrimitives.ReadInt64LittleEndian(header[4..]),
        };
    }

    private static ReadOnlyMemory<byte>? Unwrap(ReadOnlyMemory<byte> written, byte[] bound, Sealer? sealer)
    {
        if (sealer is null)
        {
            const int Start = 1 + SHA256.HashSizeInBytes;
            return written.Length >= Start
                && written.Span[0] == Plain
                && written.Span[1..Start].SequenceEqual(Hash(written.Span[Start..], bound)) ? written[Start..] : null;
        }

        try
        {
            return written.Length > 0 && written.Span[0] == Sealed ? sealer.Open(written.Span[1..], bound) : (ReadOnlyMemory<byte>?)null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static byte[] BoundTo(FlightName name, string leader) => Encoding.UTF8.GetBytes($"{name.Text}:{leader}");

    private static byte[] Hash(ReadOnlySpan<byte> body, byte[] bound)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(bound);
        hash.AppendData(body);
        return hash.GetHashAndReset();
    }

    private static TimeSpan Span(ReadOnlySpan<byte> ticks) => new(BinaryPrimitives.ReadInt64LittleEndian(ticks));
}
