using System.Net;

namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>A handler inside the flight that does with a request what the test says.</summary>
internal sealed class Inside(Func<HttpRequestMessage, Func<HttpRequestMessage, Task<HttpResponseMessage>>, Task<HttpResponseMessage>> send)
    : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        send(request, sent => base.SendAsync(sent, cancellationToken));
}

/// <summary>A response body that can only be written to a stream, as many handlers inside make them; counts what it wrote.</summary>
internal sealed class WriteOnlyContent(int pieces, int size, long? length = null) : HttpContent
{
    private long _written;

    public long Written => Interlocked.Read(ref _written);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        for (var i = 0; i < pieces; i++)
        {
            await stream.WriteAsync(new byte[size], cancellationToken);
            Interlocked.Add(ref _written, size);
        }
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = length ?? 0;
        return length is not null;
    }
}

/// <summary>A body that sends a request when it is read.</summary>
internal sealed class AskingContent(Func<Task<string>> ask) : HttpContent
{
    protected override async Task<Stream> CreateContentReadStreamAsync() => new MemoryStream(System.Text.Encoding.UTF8.GetBytes(await ask()));

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(await ask()));

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
