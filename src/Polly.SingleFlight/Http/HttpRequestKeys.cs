namespace Polly.SingleFlight.Http;

/// <summary>
/// Makes a key from a request: everything in which it may differ from others. Names and values of headers are taken as they
/// are, so two requests that mean the same and are spelled differently do not meet.
/// </summary>
internal sealed class HttpRequestKeys(HttpSingleFlightStrategyOptions options)
{
    private const int TypicalKeyBytes = 1024;
    private const int TypicalHeaders = 64;

    /// <summary>What may follow the headers.</summary>
    private const int NoBody = 0, RawBody = 1, FormBody = 2, NoDiscriminator = 3, TextDiscriminator = 4, ObjectDiscriminator = 5;

    private readonly HashSet<string> _excludedHeaders = new(options.ExcludedHeaders, StringComparer.OrdinalIgnoreCase);
    private readonly Func<HttpRequestMessage, object?>? _discriminator = options.Discriminator;

    /// <summary>The key, or null if the discriminator gives none. Throws what the discriminator throws.</summary>
    public HttpFlightKey? Create(HttpCall call)
    {
        var discriminator = _discriminator?.Invoke(call.Request);
        if (_discriminator is not null && IsEmpty(discriminator))
        {
            return null;
        }

        // Foreign code comes first: once the key is being spelled, nothing may fail.
        var discriminatorHash = discriminator is null or string ? 0 : discriminator.GetHashCode();
        var digest = new KeyDigest(stackalloc byte[TypicalKeyBytes]);
        digest.Add(call.Method.Method);
        digest.Add(call.UriText);
        digest.Add(call.Version.Major);
        digest.Add(call.Version.Minor);
        digest.Add((int)call.VersionPolicy);
        AddHeaders(ref digest, call.Headers);
        AddHeaders(ref digest, call.ContentHeaders);
        AddBody(ref digest, call);
        return AddDiscriminator(ref digest, discriminator, discriminatorHash);
    }

    /// <summary>An empty value of any type, the values of a header that is not there say, tells nobody from anybody.</summary>
    private static bool IsEmpty(object? discriminator) => string.IsNullOrEmpty(discriminator?.ToString());

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

    private static HttpFlightKey AddDiscriminator(ref KeyDigest digest, object? discriminator, int hash)
    {
        switch (discriminator)
        {
            case null:
                digest.Add(NoDiscriminator);
                return digest.ToKey(null);
            case string text:
                digest.Add(TextDiscriminator);
                digest.Add(text);
                return digest.ToKey(null);
            default:
                // Equal values have equal hash codes; the digest spreads the keys, and the values themselves decide.
                digest.Add(ObjectDiscriminator);
                digest.Add(hash);
                return digest.ToKey(discriminator);
        }
    }

    /// <summary>Any order of names will do that is the same for every request; the one of their hash codes is found fastest.</summary>
    private static bool IsAfter(int hash, string name, int otherHash, string otherName) =>
        hash > otherHash || (hash == otherHash && string.Compare(name, otherName, StringComparison.OrdinalIgnoreCase) > 0);

    /// <summary>Headers in an order of their own, because the order of different names means nothing (RFC 9110, 5.3).</summary>
    private void AddHeaders(ref KeyDigest digest, HeaderFields headers)
    {
        var fields = headers.Span;
        Span<int> order = fields.Length <= TypicalHeaders ? stackalloc int[TypicalHeaders] : new int[fields.Length];
        Span<int> hashes = fields.Length <= TypicalHeaders ? stackalloc int[TypicalHeaders] : new int[fields.Length];
        var count = 0;
        for (var i = 0; i < fields.Length; i++)
        {
            // The length is said by the body, which is in memory and has that length.
            if (_excludedHeaders.Contains(fields[i].Name) || RequestBody.IsContentLength(fields[i].Name))
            {
                continue;
            }

            var hash = fields[i].Name.GetHashCode(StringComparison.OrdinalIgnoreCase);
            var place = count++;
            for (; place > 0 && IsAfter(hashes[place - 1], fields[order[place - 1]].Name, hash, fields[i].Name); place--)
            {
                order[place] = order[place - 1];
                hashes[place] = hashes[place - 1];
            }

            order[place] = i;
            hashes[place] = hash;
        }

        digest.Add(count);
        foreach (var i in order[..count])
        {
            digest.AddName(fields[i].Name);
            digest.Add(fields[i].Count);
            for (var value = 0; value < fields[i].Count; value++)
            {
                digest.Add(fields[i][value]);
            }
        }
    }
}
