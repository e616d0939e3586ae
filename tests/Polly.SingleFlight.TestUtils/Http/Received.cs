using System.Net.Http.Headers;
using System.Text;

namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>
/// Everything that a caller can see of a response, as text, so that two can be compared and the difference be read. Trailers
/// count once the body was read: one from memory has them earlier.
/// </summary>
public static class Received
{
    public static async Task<string> TakeAsync(HttpResponseMessage response, bool withLength = true)
    {
        var text = new StringBuilder();
        text.AppendLine(FormattableString.Invariant($"{response.Version} {(int)response.StatusCode} '{response.ReasonPhrase}'"));
        Append(text, "header", response.Headers.NonValidated);
        Append(text, "content header", response.Content.Headers.NonValidated);
        text.AppendLine(FormattableString.Invariant($"length {(withLength ? response.Content.Headers.ContentLength : null)}"));
        var body = await response.Content.ReadAsByteArrayAsync().Soon();
        text.AppendLine(FormattableString.Invariant($"body {body.Length} {Convert.ToHexString(body.AsSpan(0, Math.Min(100, body.Length)))}"));
        Append(text, "content header after the body", response.Content.Headers.NonValidated);
        Append(text, "trailer", response.TrailingHeaders.NonValidated);
        text.AppendLine(FormattableString.Invariant($"request {response.RequestMessage?.Method} {response.RequestMessage?.RequestUri}"));
        text.AppendLine(FormattableString.Invariant($"success {response.IsSuccessStatusCode} {response.Headers.ConnectionClose} {response.Headers.TransferEncodingChunked}"));
        return text.ToString();
    }

    private static void Append(StringBuilder text, string kind, HttpHeadersNonValidated headers)
    {
        foreach (var header in headers)
        {
            text.AppendLine(FormattableString.Invariant($"{kind} {header.Key}: {string.Join(" | ", header.Value)}"));
        }
    }
}
