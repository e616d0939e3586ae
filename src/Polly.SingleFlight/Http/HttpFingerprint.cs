using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Http;

/// <summary>
/// What is kept of a request's key beyond its flight: HMAC-SHA-256 of everything in which requests may differ, compared whole, and what the
/// discriminator said where that is not a string. It shows neither.
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
