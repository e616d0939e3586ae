using System.Net;

namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>
/// A response body that arrives in pieces, none of which may be read before its gate is open, and that counts how many bytes
/// were read.
/// </summary>
public sealed class PieceContent : HttpContent
{
    private readonly Stream _stream;

    /// <param name="pieces">The pieces; endless if the sequence is.</param>
    /// <param name="length">What the headers claim; <see langword="null"/> if they claim nothing.</param>
    public PieceContent(IEnumerable<Piece> pieces, long? length = null)
    {
        _stream = new PieceStream(this, pieces.GetEnumerator());
        Headers.ContentLength = length;
    }

    /// <summary>Whether a read that is held goes on when its token is cancelled.</summary>
    public bool IgnoresTokens { get; init; }

    public long BytesRead { get; private set; }

    /// <summary>Open once a reader has read all before a gate that is closed.</summary>
    public Gate Stalled { get; } = new();

    /// <summary>Open once the body was disposed of.</summary>
    public Gate Disposed { get; } = new();

    /// <summary>Pieces that are there at once.</summary>
    public static IEnumerable<Piece> Pieces(int count, int size) => Endless(size).Take(count);

    public static IEnumerable<Piece> Endless(int size)
    {
        var bytes = new byte[size];
        Array.Fill(bytes, (byte)'x');
        while (true)
        {
            yield return new Piece(bytes);
        }
    }

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult(_stream);

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) => _stream;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        _stream.CopyToAsync(stream, cancellationToken);

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        _stream.CopyTo(stream);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        Disposed.Open();
        base.Dispose(disposing);
    }

    /// <summary>Bytes, and the gate that holds them back. A gate that opens with an exception ends the body with it.</summary>
    public sealed record Piece(byte[] Bytes, Gate? Gate = null);

    private sealed class PieceStream(PieceContent content, IEnumerator<Piece> pieces) : Stream
    {
        private ReadOnlyMemory<byte> _rest;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_rest.IsEmpty && !await NextAsync(cancellationToken))
            {
                return 0;
            }

            var count = Math.Min(buffer.Length, _rest.Length);
            _rest[..count].CopyTo(buffer);
            _rest = _rest[count..];
            content.BytesRead += count;
            return count;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) =>
            ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            content.Disposed.Open();
            base.Dispose(disposing);
        }

        private async ValueTask<bool> NextAsync(CancellationToken token)
        {
            if (!pieces.MoveNext())
            {
                return false;
            }

            if (pieces.Current.Gate is { } gate)
            {
                if (!gate.Opened.IsCompleted)
                {
                    content.Stalled.Open();
                }

                await gate.Opened.WaitAsync(content.IgnoresTokens ? CancellationToken.None : token);
            }

            _rest = pieces.Current.Bytes;
            return true;
        }
    }
}
