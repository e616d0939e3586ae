using System.Net;

namespace Polly.SingleFlight.Http;

/// <summary>
/// One caller's content over a body that all callers of a flight share and nobody can change. Its length is announced only
/// if the other side had announced it, by a header.
/// </summary>
internal sealed class SharedContent : HttpContent
{
    private readonly ArraySegment<byte> _body;

    public SharedContent(ArraySegment<byte> body, in HeaderFields headers)
    {
        _body = body;
        headers.AddTo(Headers);
    }

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(_body);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.WriteAsync(_body, cancellationToken).AsTask();
    }

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) =>
        new MemoryStream(_body.Array!, _body.Offset, _body.Count, writable: false, publiclyVisible: false);

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult(CreateContentReadStream(CancellationToken.None));

    protected override Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) => CreateContentReadStreamAsync();

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
