using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Http;

/// <summary>
/// The key made from a request: a digest of everything in which requests may differ, compared whole, and what the
/// discriminator said where that is not a string. It reveals neither.
/// </summary>
internal sealed class HttpFlightKey(ulong a, ulong b, ulong c, ulong d, object? discriminator) : IntrinsicKey, IEquatable<HttpFlightKey>
{
    private readonly ulong _a = a;
    private readonly ulong _b = b;
    private readonly ulong _c = c;
    private readonly ulong _d = d;
    private readonly object? _discriminator = discriminator;

    public bool Equals(HttpFlightKey? other) =>
        other is not null
        && _a == other._a
        && _b == other._b
        && _c == other._c
        && _d == other._d
        && Equals(_discriminator, other._discriminator);

    public override bool Equals(object? obj) => Equals(obj as HttpFlightKey);

    public override int GetHashCode() => unchecked((int)_a);

    public override string ToString() => "HTTP request";
}
