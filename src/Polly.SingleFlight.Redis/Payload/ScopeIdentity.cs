using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Polly.SingleFlight.Redis.Payload;

/// <summary>
/// What makes one thing of two executions: scope, key, result type, serializer and version. In Redis there is a digest of them, keyed with the secret if there is one.
/// </summary>
/// <remarks>Digests are of the characters as they are: an encoding would make one replacement character of every unpaired surrogate, and so one key of several.</remarks>
internal sealed class ScopeIdentity
{
    /// <summary>The beginning of every key and channel.</summary>
    public const string Prefix = "polly-sf:";

    private readonly string _scope;
    private readonly byte[]? _secret;

    public ScopeIdentity(string scope, ReadOnlySpan<byte> secret)
    {
        _scope = scope;
        _secret = secret.IsEmpty ? null : secret.ToArray();
        Sealer = _secret is null ? null : new Sealer(HKDF.DeriveKey(HashAlgorithmName.SHA256, _secret, 32, info: "polly-sf outcome"u8.ToArray()));
    }

    /// <summary>Encrypts outcomes; null without a secret.</summary>
    public Sealer? Sealer { get; }

    /// <summary>The name of a flight.</summary>
    /// <exception cref="InvalidOperationException">The key is not of a kind that every process spells the same.</exception>
    public FlightName NameOf(object key, string kind) => new(IndexOf(key), kind);

    /// <summary>The key of the flights of one key, of whatever kind: what <see cref="RedisSingleFlightGroup.ForgetAsync"/> finds them by.</summary>
    public string IndexOf(object key) => $"{Prefix}{{{Digest("key", _scope, KeyText.Spell(key))}}}";

    /// <summary>Stands for result type, serializer and version.</summary>
    public string KindOf(Type resultType, string serializer, int version) =>
        Digest("kind", resultType.ToString(), serializer, version.ToString(CultureInfo.InvariantCulture))[..32];

    /// <summary>The channel of one node.</summary>
    public string ChannelOf(string node) => $"{Prefix}{{{Digest("node", _scope, node)}}}:in";

    private string Digest(params ReadOnlySpan<string> parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
        {
            text.Append(CultureInfo.InvariantCulture, $"{part.Length}:").Append(part);
        }

        var characters = MemoryMarshal.AsBytes(text.ToString().AsSpan());
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        if (_secret is null)
        {
            SHA256.HashData(characters, digest);
        }
        else
        {
            HMACSHA256.HashData(_secret, characters, digest);
        }

        return Convert.ToHexString(digest).ToLowerInvariant();
    }
}
