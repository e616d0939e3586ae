namespace Polly.SingleFlight.Http;

/// <summary>The bytes that were read already, then the rest of the stream they were read from.</summary>
internal sealed class PartlyReadStream(ArraySegment<byte> beginning, Stream rest, IDisposable lease) : Stream
{
    private ArraySegment<byte> _beginning = beginning;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var taken = Take(buffer);
        return taken > 0 || buffer.IsEmpty ? taken : rest.Read(buffer);
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var taken = Take(buffer.Span);
        return taken > 0 || buffer.IsEmpty ? new(taken) : rest.ReadAsync(buffer, cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            LetGo();
            rest.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Take(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _beginning.Count);
        if (count == 0)
        {
            return 0;
        }

        _beginning.AsSpan(0, count).CopyTo(buffer);
        _beginning = _beginning[count..];
        if (_beginning.Count == 0)
        {
            LetGo();
        }

        return count;
    }

    private void LetGo()
    {
        _beginning = default;
        lease.Dispose();
    }
}
