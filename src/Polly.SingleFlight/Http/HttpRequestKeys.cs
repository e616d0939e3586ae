namespace Polly.SingleFlight.Http;

/// <summary>
/// Makes keys from every part in which requests may differ. Values of headers are compared as they are, so two requests that mean the same and
/// are written differently do not share a flight.
/// </summary>
internal sealed class HttpRequestKeys(HttpSingleFlightStrategyOptions options)
{
    private readonly HeaderNames _excluded = new([.. options.ExcludedHeaders, ContentLength]);
    private readonly Func<HttpRequestMessage, object?>? _discriminator = options.Discriminator;

    /// <summary>Excluded, because the length of the body is compared.</summary>
    private const string ContentLength = "Content-Length";

    /// <summary>Creates the key. Returns null if the discriminator returns an empty value. Throws what the discriminator throws.</summary>
    public HttpFlightKey? Create(HttpCall call)
    {
        if (_discriminator is not null)
        {
            call.Discriminator = _discriminator(call.Request);
            if (IsEmpty(call.Discriminator))
            {
                return null;
            }
        }

        return new HttpFlightKey(this, call, Hash(call));
    }

    /// <summary>Creates a key as <see cref="Create"/> does, for code that may keep it after the flight.</summary>
    public HttpFingerprint? CreateFingerprint(HttpCall call) => Create(call)?.ToFingerprint();

    /// <summary>Creates the fingerprint of a request whose key has this hash.</summary>
    public HttpFingerprint CreateFingerprint(HttpCall call, int hash) => FingerprintWriter.Write(call, _excluded, hash);

    /// <summary>Whether two requests have equal keys. Calls <c>Equals</c> of discriminator values, and no other foreign code.</summary>
    public bool AreEqual(HttpCall one, HttpCall other) =>
        one.UriText == other.UriText
        && one.Method.Method == other.Method.Method
        && one.Version == other.Version
        && one.VersionPolicy == other.VersionPolicy
        && one.Headers.AreEqual(other.Headers, _excluded)
        && one.ContentHeaders.AreEqual(other.ContentHeaders, _excluded)
        && HaveEqualBodies(one, other)
        && Equals(one.Discriminator, other.Discriminator);

    private static bool HaveEqualBodies(HttpCall one, HttpCall other) =>
        one.Form is { } form
            ? form.Equals(other.Form)
            : other.Form is null && (one.Body is null ? other.Body is null : other.Body is not null && one.Body.AsSpan().SequenceEqual(other.Body));

    /// <summary>Whether a discriminator value is empty, for instance the values of a missing header, and so cannot tell callers apart.</summary>
    private static bool IsEmpty(object? discriminator) => string.IsNullOrEmpty(discriminator?.ToString());

    private int Hash(HttpCall call)
    {
        var hash = default(HashCode);
        hash.Add(call.UriText);
        hash.Add(call.Method);
        hash.Add(call.Headers.Hash(_excluded));
        if (call.Body is not null)
        {
            hash.Add(call.ContentHeaders.Hash(_excluded));
            if (call.Form is null)
            {
                hash.AddBytes(call.Body);
            }
            else
            {
                hash.Add(call.Form);
            }
        }

        hash.Add(call.Discriminator);
        return hash.ToHashCode();
    }
}
