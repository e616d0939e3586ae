using System.Net;
using System.Net.Http.Headers;

namespace Polly.SingleFlight.Http;

/// <summary>The leader's content after the strategy stopped reading it into memory: the bytes that were read, then the rest of the stream.</summary>
internal sealed class PartlyReadContent : HttpContent
{
    private readonly Stream _stream;
    private bool _isUsed;

    /// <param name="stream">The stream of the whole body. It disposes the original content.</param>
    /// <param name="headers">The headers of the original content.</param>
    public PartlyReadContent(Stream stream, HttpContentHeaders headers)
    {
        _stream = stream;
        new HeaderFields(headers).AddTo(Headers);
    }

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Use().CopyTo(stream);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Use().CopyToAsync(stream, cancellationToken);
    }

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) => Use();

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult(Use());

    protected override Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) => CreateContentReadStreamAsync();

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stream.Dispose();
        }

        base.Dispose(disposing);
    }

    private Stream Use()
    {
        if (_isUsed)
        {
            throw new InvalidOperationException("The content is a stream from the network and was read already.");
        }

        _isUsed = true;
        return _stream;
    }
}
