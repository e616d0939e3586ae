using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Polly.SingleFlight.Http;

/// <summary>
/// Digests the parts of a request. The length of each part precedes it, so two different sequences of parts never have the same bytes. The
/// digest is HMAC-SHA-256 (RFC 2104) with a random key of this process.
/// </summary>
internal ref struct KeyDigest(Span<byte> initial)
{
    private const byte Narrow = 1;
    private const byte Wide = 2;

    private static readonly byte[] s_processKey = RandomNumberGenerator.GetBytes(32);

    [ThreadStatic]
    private static IncrementalHash? s_hash;

    private Span<byte> _buffer = initial;
    private byte[]? _rented;
    private int _length;

    /// <summary>Adds a number, or a mark that tells which part follows.</summary>
    public void Add(int number)
    {
        BinaryPrimitives.WriteInt32LittleEndian(Reserve(sizeof(int)), number);
        _length += sizeof(int);
    }

    public void Add(scoped ReadOnlySpan<byte> bytes)
    {
        Add(bytes.Length);
        bytes.CopyTo(Reserve(bytes.Length));
        _length += bytes.Length;
    }

    /// <summary>Adds text, as one byte a character if all are ASCII, or else as UTF-16. Lone surrogates are kept.</summary>
    public void Add(scoped ReadOnlySpan<char> text)
    {
        var target = Reserve(1 + sizeof(int) + text.Length);
        if (Ascii.FromUtf16(text, target[(1 + sizeof(int))..], out _) == OperationStatus.Done)
        {
            target[0] = Narrow;
            BinaryPrimitives.WriteInt32LittleEndian(target[1..], text.Length);
            _length += 1 + sizeof(int) + text.Length;
            return;
        }

        Reserve(1)[0] = Wide;
        _length++;
        Add(MemoryMarshal.AsBytes(text));
    }

    /// <summary>Adds a header name in lower case (RFC 9110, 5.1).</summary>
    public void AddName(string name)
    {
        var start = _length;
        Add(name);
        if (_buffer[start] == Narrow)
        {
            var written = _buffer[(start + 1 + sizeof(int)).._length];
            Ascii.ToLowerInPlace(written, out _);
        }
    }

    /// <summary>Computes the digest, and clears the buffer.</summary>
    public HttpFingerprint ToFingerprint(object? discriminator, int hashCode)
    {
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        var hash = s_hash ??= IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, s_processKey);
        var spelled = _buffer[.._length];
        hash.AppendData(spelled);
        hash.GetHashAndReset(digest);
        Wipe();
        var parts = MemoryMarshal.Cast<byte, ulong>(digest);
        return new HttpFingerprint(parts[0], parts[1], parts[2], parts[3], discriminator, hashCode);
    }

    private Span<byte> Reserve(int count)
    {
        if (_buffer.Length - _length < count)
        {
            Grow(count);
        }

        return _buffer[_length..];
    }

    private void Grow(int count)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(checked(_length + count), _buffer.Length * 2));
        _buffer[.._length].CopyTo(larger);
        var length = _length;
        Wipe();
        _length = length;
        _rented = larger;
        _buffer = larger;
    }

    /// <summary>Clears the buffer before the pool gives it to others, because the parts may hold credentials.</summary>
    private void Wipe()
    {
        CryptographicOperations.ZeroMemory(_buffer[.._length]);
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
            _rented = null;
        }
    }
}
