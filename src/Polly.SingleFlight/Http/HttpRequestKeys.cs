namespace Polly.SingleFlight.Http;

/// <summary>
/// Makes keys from requests: of everything in which they may differ. Names and values of headers are taken as they are, so two requests
/// that mean the same and are spelled differently do not meet.
/// </summary>
internal sealed class HttpRequestKeys(HttpSingleFlightStrategyOptions options)
{
    private readonly HeaderNames _excluded = new([.. options.ExcludedHeaders, ContentLength]);
    private readonly Func<HttpRequestMessage, object?>? _discriminator = options.Discriminator;

    /// <summary>Left out, since the body has that length, if there is one.</summary>
    private const string ContentLength = "Content-Length";

    /// <summary>The key, or null if the discriminator gives none. Throws what the discriminator throws.</summary>
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

    /// <summary>The same as a fingerprint, for those who may keep the key for as long as they like.</summary>
    public HttpFingerprint? CreateFingerprint(HttpCall call) => Create(call)?.ToFingerprint();

    /// <summary>The fingerprint of a request whose key has this hash.</summary>
    public HttpFingerprint CreateFingerprint(HttpCall call, int hash) => FingerprintWriter.Write(call, _excluded, hash);

    /// <summary>Whether two requests are the same in everything that counts. Calls the values that discriminators gave, and no other foreign code.</summary>
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

    /// <summary>An empty value of any type, the values of a header that is not there say, tells nobody from anybody.</summary>
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
