using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Http;

/// <summary>
/// A key that may be kept after its flight: HMAC-SHA-256 of every part in which requests may differ, and the value of the discriminator if it is
/// no string. <see cref="ToString"/> shows neither.
/// </summary>
internal sealed class HttpFingerprint(ulong a, ulong b, ulong c, ulong d, object? discriminator, int hash) : IntrinsicKey, IEquatable<HttpFingerprint>
{
    private readonly ulong _a = a;
    private readonly ulong _b = b;
    private readonly ulong _c = c;
    private readonly ulong _d = d;
    private readonly object? _discriminator = discriminator;

    public bool Equals(HttpFingerprint? other) =>
        other is not null
        && _a == other._a
        && _b == other._b
        && _c == other._c
        && _d == other._d
        && Equals(_discriminator, other._discriminator);

    public override bool Equals(object? obj) => Equals(obj as HttpFingerprint);

    public override int GetHashCode() => hash;

    public override string ToString() => "HTTP request";
}
