using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Http;

/// <summary>
/// The key made from a request: found by a hash whose seed is the process's own, decided by comparing everything in which requests may differ.
/// It shows none of that, and gives it up when its flight ends.
/// </summary>
/// <param name="keys">Compares requests.</param>
/// <param name="call">The request.</param>
/// <param name="hash">The hash of all that is compared.</param>
internal sealed class HttpFlightKey(HttpRequestKeys keys, HttpCall call, int hash) : IntrinsicKey, IEquatable<HttpFlightKey>
{
    private readonly int _hash = hash;

    /// <summary>Null when the flight has ended; then the key equals nothing but itself.</summary>
    private HttpCall? _call = call;

    public bool Equals(HttpFlightKey? other) =>
        ReferenceEquals(this, other)
        || (other is not null && _hash == other._hash && _call is { } mine && other._call is { } its && keys.AreEqual(mine, its));

    public override bool Equals(object? obj) => Equals(obj as HttpFlightKey);

    public override int GetHashCode() => _hash;

    public override string ToString() => "HTTP request";

    /// <summary>What may be kept when the flight has ended; null when it has.</summary>
    public HttpFingerprint? ToFingerprint() => _call is { } call ? keys.CreateFingerprint(call, _hash) : null;

    public override IntrinsicKey For(Attachment? attachment) =>
        (attachment is HttpCall { HasCustomKey: false } other ? other : _call) is { } call ? new HttpFlightKey(keys, call, _hash) : this;

    public override void GiveUp() => _call = null;
}
