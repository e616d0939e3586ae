namespace Polly.SingleFlight.Http;

/// <summary>Makes the fingerprint of a request. It writes every part in which requests may differ, in a fixed order.</summary>
internal static class FingerprintWriter
{
    private const int TypicalBytes = 1024;

    /// <summary>Marks that tell which body and which discriminator follow.</summary>
    private const int NoBody = 0, RawBody = 1, FormBody = 2, NoDiscriminator = 3, TextDiscriminator = 4, ObjectDiscriminator = 5;

    /// <param name="call">The request.</param>
    /// <param name="excluded">The headers that are left out.</param>
    /// <param name="hash">The hash of the request's key.</param>
    public static HttpFingerprint Write(HttpCall call, HeaderNames excluded, int hash)
    {
        var digest = new KeyDigest(stackalloc byte[TypicalBytes]);
        digest.Add(call.Method.Method);
        digest.Add(call.UriText);
        digest.Add(call.Version.Major);
        digest.Add(call.Version.Minor);
        digest.Add((int)call.VersionPolicy);
        AddHeaders(ref digest, call.Headers, excluded);
        AddHeaders(ref digest, call.ContentHeaders, excluded);
        AddBody(ref digest, call);
        return AddDiscriminator(ref digest, call.Discriminator, hash);
    }

    private static void AddBody(ref KeyDigest digest, HttpCall call)
    {
        if (call.Form is { } form)
        {
            digest.Add(FormBody);
            form.AddTo(ref digest);
        }
        else if (call.Body is { } body)
        {
            digest.Add(RawBody);
            digest.Add(body);
        }
        else
        {
            digest.Add(NoBody);
        }
    }

    /// <summary>Adds a discriminator that is a string to the digest, and keeps any other beside it, to be compared as an object.</summary>
    private static HttpFingerprint AddDiscriminator(ref KeyDigest digest, object? discriminator, int hash)
    {
        switch (discriminator)
        {
            case null:
                digest.Add(NoDiscriminator);
                return digest.ToFingerprint(null, hash);
            case string text:
                digest.Add(TextDiscriminator);
                digest.Add(text);
                return digest.ToFingerprint(null, hash);
            default:
                digest.Add(ObjectDiscriminator);
                return digest.ToFingerprint(discriminator, hash);
        }
    }

    /// <summary>Adds headers in the order of their names, because the order of different names has no meaning (RFC 9110, 5.3).</summary>
    private static void AddHeaders(ref KeyDigest digest, HeaderFields headers, HeaderNames excluded)
    {
        var fields = new List<HeaderField>();
        foreach (ref readonly var field in headers.Span)
        {
            if (!excluded.Contains(field.Name))
            {
                fields.Add(field);
            }
        }

        fields.Sort(static (one, other) => string.Compare(one.Name, other.Name, StringComparison.OrdinalIgnoreCase));
        digest.Add(fields.Count);
        foreach (var field in fields)
        {
            digest.AddName(field.Name);
            digest.Add(field.Count);
            for (var value = 0; value < field.Count; value++)
            {
                digest.Add(field[value]);
            }
        }
    }
}
