using FsCheck;
using FsCheck.Fluent;

namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>Makes up pairs of requests that are equal or nearly so, out of what confuses delimiters and encodings.</summary>
internal static class RequestGenerator
{
    private static readonly string[] s_pieces =
    [
        "a", "b", "ab", "1", "2", ",", ", ", ";", "=", ":", ": ", "&", "|", "\0", "\u0001", "\n", "\r\n", "\t", " ", "\"", "\\", "%2C",
        "\u00fc", "u\u0308", "\u20ac", "\ud83d\ude00", "\ud83d", "\ude00", "\ud800", "\udfff", "\ufffd", "\ufeff", "X-A: ", "\nX-B: b", "GET", "4:a",
    ];

    private static readonly string[] s_names =
        ["A", "B", "AB", "X-A", "x-a", "X-B", "Accept", "Authorization", "Cookie", "traceparent", "X-Request-ID", "Range", "If-None-Match", "1"];

    private static readonly string[] s_uris =
    [
        "http://a.test/x", "http://a.test/x?", "http://a.test/x?y", "http://a.test/x#y", "http://a.test/x?y#z", "http://a.test/X", "http://A.test/x",
        "http://a.test:80/x", "http://a.test:81/x", "https://a.test/x", "http://b.test/x", "http://a.test/x/", "http://a.test/x%2Fy", "http://a.test/x/y",
        "http://a.test/\u00fc", "http://a.test/%C3%BC", "http://u@a.test/x", "http://a.test/x?a=1&b=2", "http://a.test/x?b=2&a=1", "http://[::1]/x",
    ];

    private static readonly object[] s_discriminators =
        ["a", "b", "ab", 1, 1L, "1", true, "True", 'a', ("a", "b"), ("ab", ""), "\ud800", "\ud801", "\ufffd", Guid.Empty];

    private static Gen<string> Text { get; } =
        from count in Gen.Choose(0, 4)
        from pieces in Gen.Elements(s_pieces).ArrayOf(count)
        select string.Concat(pieces);

    private static Gen<RequestModel.Field> Header { get; } =
        from name in Gen.Elements(s_names)
        from value in Text
        select new RequestModel.Field(name, value);

    private static Gen<RequestModel> Request { get; } =
        from method in Gen.Elements("GET", "HEAD", "POST", "POST")
        from uri in Gen.Elements(s_uris)
        from version in Gen.Elements("1.0", "1.1", "2.0")
        from policy in Gen.Elements(Enum.GetValues<HttpVersionPolicy>())
        from count in Gen.Choose(0, 5)
        from headers in Header.ArrayOf(count)
        from body in Text
        from discriminator in Gen.Elements(s_discriminators)
        select new RequestModel(method, uri, version, policy, headers, body, discriminator);

    /// <summary>Two requests that differ in nothing, in what does not count, or in one or two aspects.</summary>
    public static Arbitrary<(RequestModel One, RequestModel Other)> Pairs { get; } = (
        from one in Request
        from fresh in Request
        from changes in Gen.Choose(0, 2)
        from aspects in Gen.Choose(0, 15).ArrayOf(changes)
        from seed in Gen.Choose(0, int.MaxValue - 1)
        select (one, Shuffle(aspects.Aggregate(one, (request, aspect) => Change(request, fresh, aspect, seed)), seed))).ToArbitrary();

    private static RequestModel Change(RequestModel request, RequestModel fresh, int aspect, int seed)
    {
        var random = new Random(seed);
        var headers = request.Headers;
        var at = headers.Length == 0 ? 0 : random.Next(headers.Length);
        return aspect switch
        {
            0 => request with { Method = fresh.Method },
            1 => request with { Uri = fresh.Uri },
            2 => request with { Version = fresh.Version },
            3 => request with { Policy = fresh.Policy },
            4 => request with { Body = fresh.Body },
            5 => request with { Discriminator = fresh.Discriminator },
            6 => request with { Headers = [.. headers, .. fresh.Headers.Take(1)] },
            7 => request with { Headers = [.. headers, new("traceparent", fresh.Body)] },
            8 => request with { Uri = request.Uri.Split('#')[0] + "#" + random.Next(3) },
            9 => request with { Headers = [.. headers.AsEnumerable().Reverse()] },
            _ when headers.Length == 0 => request with { Body = request.Body + fresh.Body },
            10 => request with { Headers = [.. headers.Where((_, index) => index != at)] },
            11 => Replace([headers[at] with { Value = fresh.Body }]),
            12 => Replace([headers[at] with { Name = fresh.Headers.FirstOrDefault()?.Name ?? "X" }]),
            13 => Replace([headers[at] with { Name = headers[at].Name + headers[at].Value.FirstOrDefault('1'), Value = string.Concat(headers[at].Value.Skip(1)) }]),
            14 => Replace([.. headers[at].Value.Split(',').Select(value => headers[at] with { Value = value })]),
            _ => Replace([headers[at], headers[at]]),
        };

        RequestModel Replace(RequestModel.Field[] fields) => request with { Headers = [.. headers[..at], .. fields, .. headers[(at + 1)..]] };
    }

    /// <summary>Reorders headers of different names, and changes the case of names: neither counts.</summary>
    private static RequestModel Shuffle(RequestModel request, int seed)
    {
        var random = new Random(seed);
        var order = s_names.ToDictionary(static name => name, _ => random.Next(), StringComparer.Ordinal);
        return request with
        {
            Headers = [.. request.Headers
                .OrderBy(header => order.TryGetValue(header.Name, out var key) && !header.Name.StartsWith("x-a", StringComparison.OrdinalIgnoreCase) ? key : 0)
                .Select(header => header with { Name = random.Next(2) == 0 ? header.Name.ToUpperInvariant() : header.Name })],
        };
    }
}
