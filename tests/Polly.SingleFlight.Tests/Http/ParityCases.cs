using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Answers of all kinds, for <see cref="ParityTests"/>.</summary>
internal static class ParityCases
{
    public const string FinalPath = "/final";

    /// <summary>What Kestrel answers, over HTTP/1.1 and HTTP/2.</summary>
    public static readonly Dictionary<string, RequestDelegate> Kestrel = new()
    {
        ["announced"] = static context => Write(context, 200, "hello", announced: true),
        ["chunked"] = static context => Write(context, 200, "hello", announced: false),
        ["in parts"] = static async context =>
        {
            await Write(context, 200, "one", announced: false);
            await context.Response.Body.FlushAsync();
            await context.Response.WriteAsync("two");
        },
        ["empty announced"] = static context => Write(context, 200, "", announced: true),
        ["empty"] = static context => Write(context, 200, "", announced: false),
        ["no content"] = static context => Write(context, 204, "", announced: false),
        ["not modified"] = static context => Write(context, 304, "", announced: false),
        ["not found"] = static context => Write(context, 404, """{"error":"none"}""", announced: true),
        ["teapot"] = static context => Write(context, 418, "short and stout", announced: false),
        ["unavailable"] = static context =>
        {
            context.Response.Headers.RetryAfter = "120";
            return Write(context, 503, "busy", announced: true);
        },
        ["unknown status"] = static context => Write(context, 299, "x", announced: true),
        ["64 KiB"] = static context => Write(context, 200, new string('x', 65536), announced: true),
        ["200 KB"] = static context => Write(context, 200, new string('y', 200_000), announced: false),
        ["text in utf-8"] = static context =>
        {
            context.Response.ContentType = "text/plain; charset=utf-8";
            return Write(context, 200, "grüße €", announced: true);
        },
        ["many headers"] = static context =>
        {
            foreach (var number in Enumerable.Range(0, 20))
            {
                context.Response.Headers.Append("X-Many", "value " + number);
                context.Response.Headers["X-Header-" + number] = "v";
            }

            context.Response.Headers.ETag = "W/\"weak\"";
            context.Response.Headers.Allow = "GET, HEAD";
            context.Response.Headers.ContentLanguage = "de, en";
            context.Response.Headers.ContentDisposition = "attachment; filename*=UTF-8''gr%C3%BC%C3%9Fe.txt";
            context.Response.Headers.Expires = "0";
            context.Response.Headers.LastModified = "yesterday";
            return Write(context, 200, "x", announced: true);
        },
        ["gzip"] = static async context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await using var gzip = new GZipStream(context.Response.Body, CompressionLevel.Fastest);
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(new string('z', 10_000)));
        },
        ["redirect"] = static context => Redirect(context, 302, FinalPath + "?x=1#there"),
        ["permanent redirect"] = static context => Redirect(context, 308, FinalPath),
        ["two redirects"] = static context => Redirect(context, 307, "/redirect"),
        ["redirect to nowhere"] = static context => Redirect(context, 301, null),
        ["not a redirect"] = static context => Redirect(context, 300, null),
        ["trailers"] = static async context =>
        {
            await Write(context, 200, "body", announced: false);
            if (context.Response.SupportsTrailers())
            {
                context.Response.AppendTrailer("X-Checksum", "123");
                context.Response.AppendTrailer("X-Two", new(["a", "b"]));
            }
        },
    };

    /// <summary>What only bytes can say.</summary>
    public static readonly Dictionary<string, string> Raw = new()
    {
        ["custom reason"] = "HTTP/1.1 200 Sure, why not?\r\nContent-Length: 1\r\n\r\nx",
        ["empty reason"] = "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx",
        ["latin reason"] = "HTTP/1.1 404 Nicht gef\u00fchrt\r\nContent-Length: 1\r\n\r\nx",
        ["version 1.0"] = "HTTP/1.0 200 OK\r\n\r\nto the end",
        ["to the end"] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end",
        ["trailers"] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n4\r\nbody\r\n0\r\nX-A: 1\r\nx-b: odd;;=\r\nX-A: 2\r\n\r\n",
        ["trailers without a body"] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: 1\r\n\r\n",
        ["malformed values"] = "HTTP/1.1 200 OK\r\nDate: soon\r\nETag: unquoted\r\nAge: old\r\nExpires: -1\r\nContent-Type: nonsense\r\nServer: \r\nX-E:\r\nContent-Length: 1\r\n\r\nx",
        ["latin values"] = "HTTP/1.1 200 OK\r\nX-Latin: gr\u00fc\u00dfe\r\nContent-Length: 1\r\n\r\nx",
        ["repeated headers"] = "HTTP/1.1 200 OK\r\nX-A: 1\r\nx-b: 2\r\nx-a: 3, 4\r\nWarning: 199 a \"b\"\r\nWarning: broken\r\nContent-Length: 1\r\n\r\nx",
        ["content headers among others"] = "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Type: a/b\r\nX-B: 2\r\nContent-MD5: ?\r\nContent-Length: 1\r\nAllow: GET\r\n\r\nx",
        ["connection headers"] = "HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nKeep-Alive: timeout=5\r\nUpgrade: h9\r\nVia: 1.1 proxy\r\nContent-Length: 1\r\n\r\nx",
        ["informational first"] = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
        ["compressed but not asked for"] = "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc",
        ["folded"] = "HTTP/1.1 200 OK\r\nX-Folded: one\r\n two\r\nContent-Length: 1\r\n\r\nx",
        ["not authorized"] = "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"a\", Bearer\r\nWWW-Authenticate: odd==\r\nContent-Length: 0\r\n\r\n",
    };

    public static Task Final(HttpContext context) => Write(context, 200, "arrived at " + context.Request.QueryString, announced: true);

    private static Task Redirect(HttpContext context, int status, string? location)
    {
        context.Response.Headers.Location = location;
        return Write(context, status, "elsewhere", announced: true);
    }

    private static async Task Write(HttpContext context, int status, string body, bool announced)
    {
        context.Response.StatusCode = status;
        context.Response.ContentLength = announced ? Encoding.UTF8.GetByteCount(body) : null;
        if (body.Length > 0)
        {
            await context.Response.WriteAsync(body);
        }
    }
}
