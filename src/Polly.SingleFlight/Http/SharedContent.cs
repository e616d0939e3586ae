using System.Net;

namespace Polly.SingleFlight.Http;

/// <summary>
/// One caller's content with the body that all callers of a flight share. The body is never changed. A length is announced only if the original
/// content announced or computed it.
/// </summary>
internal sealed class SharedContent : HttpContent
{
    private readonly ArraySegment<byte> _body;
    private readonly long? _length;

    /// <param name="body">The body.</param>
    /// <param name="length">The length that the original content computed without a header; null if it could not.</param>
    /// <param name="headers">The content headers.</param>
    public SharedContent(ArraySegment<byte> body, long? length, in HeaderFields headers)
    {
        _body = body;
        _length = length;
        headers.AddTo(Headers);
    }

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var body = new SharedBody(_body);
        body.CopyTo(stream);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var body = new SharedBody(_body);
        await body.CopyToAsync(stream, cancellationToken).ConfigureAwait(false);
    }

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) =>
        new SharedBody(_body);

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult(CreateContentReadStream(CancellationToken.None));

    protected override Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) => CreateContentReadStreamAsync();

    protected override bool TryComputeLength(out long length)
    {
        length = _length ?? 0;
        return _length is not null;
    }
}
