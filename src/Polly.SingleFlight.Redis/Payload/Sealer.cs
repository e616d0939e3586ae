using System.Security.Cryptography;

namespace Polly.SingleFlight.Redis.Payload;

/// <summary>Encrypts with AES-GCM: a random nonce, the cipher text and the tag.</summary>
internal sealed class Sealer(byte[] key)
{
    private const int NonceSize = 12;
    private const int TagSize = 16;

    public byte[] Seal(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> bound)
    {
        var all = new byte[NonceSize + plain.Length + TagSize];
        var nonce = all.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);

        // Not shared, since one object must not be used by two threads.
        using var cipher = new AesGcm(key, TagSize);
        cipher.Encrypt(nonce, plain, all.AsSpan(NonceSize, plain.Length), all.AsSpan(NonceSize + plain.Length), bound);
        return all;
    }

    /// <exception cref="CryptographicException">It was not sealed with this key, or for something else.</exception>
    public byte[] Open(ReadOnlySpan<byte> all, ReadOnlySpan<byte> bound)
    {
        if (all.Length < NonceSize + TagSize)
        {
            throw new CryptographicException("Too short.");
        }

        var plain = new byte[all.Length - NonceSize - TagSize];
        using var cipher = new AesGcm(key, TagSize);
        cipher.Decrypt(all[..NonceSize], all[NonceSize..^TagSize], all[^TagSize..], plain, bound);
        return plain;
    }
}
