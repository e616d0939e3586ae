using System.Text;

namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>What a request looked like when it was sent; the message itself may be disposed of soon after.</summary>
public sealed record SentRequest(int Number, HttpRequestMessage Message, HttpMethod Method, Uri Uri, ILookup<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public string? Header(string name) => Headers[name] is var values && values.Any() ? string.Join("|", values) : null;

    public static async Task<SentRequest> TakeAsync(int number, HttpRequestMessage message, CancellationToken token)
    {
        var body = message.Content is null ? [] : await message.Content.ReadAsByteArrayAsync(token);
        var content = message.Content?.Headers.NonValidated.AsEnumerable() ?? [];
        var headers = message.Headers.NonValidated.AsEnumerable().Concat(content)
            .SelectMany(header => header.Value, static (header, value) => (header.Key, value))
            .ToLookup(header => header.Key, header => header.value, StringComparer.OrdinalIgnoreCase);
        return new SentRequest(number, message, message.Method, message.RequestUri!, headers, body);
    }
}
