using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Http;

/// <summary>
/// The key that is made from a request. Its hash has a random seed of the process, and equality compares every part in which requests may
/// differ. <see cref="ToString"/> shows no part, and the key drops the request when its flight ends.
/// </summary>
/// <param name="keys">Compares requests.</param>
/// <param name="call">The request.</param>
/// <param name="hash">The hash of all that is compared.</param>
internal sealed class HttpFlightKey(HttpRequestKeys keys, HttpCall call, int hash) : IntrinsicKey, IEquatable<HttpFlightKey>
{
    private readonly int _hash = hash;

    /// <summary>Null after <see cref="GiveUp"/>, when the key equals only itself.</summary>
    private HttpCall? _call = call;

    public bool Equals(HttpFlightKey? other) =>
        ReferenceEquals(this, other)
        || (other is not null && _hash == other._hash && _call is { } mine && other._call is { } its && keys.AreEqual(mine, its));

    public override bool Equals(object? obj) => Equals(obj as HttpFlightKey);

    public override int GetHashCode() => _hash;

    public override string ToString() => "HTTP request";

    /// <summary>Makes the key that may be kept after the flight. Returns null if the flight has ended.</summary>
    public HttpFingerprint? ToFingerprint() => _call is { } call ? keys.CreateFingerprint(call, _hash) : null;

    public override IntrinsicKey For(Attachment? attachment) =>
        (attachment is HttpCall { HasCustomKey: false } other ? other : _call) is { } call ? new HttpFlightKey(keys, call, _hash) : this;

    public override void GiveUp() => _call = null;
}
