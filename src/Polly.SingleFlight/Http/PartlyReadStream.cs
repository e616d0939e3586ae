namespace Polly.SingleFlight.Http;

/// <summary>
/// A stream of three parts: the bytes that were read already, the bytes of a pending read, and the rest of the original stream. The rest is read
/// only when the pending read has ended, because a stream supports one read at a time.
/// </summary>
/// <param name="beginning">The bytes that were read.</param>
/// <param name="pending">The pending read; null if there is none.</param>
/// <param name="opening">Returns the original stream.</param>
/// <param name="content">The original content, disposed with the stream.</param>
/// <param name="lease">The part of the buffer budget that the beginning uses. Disposed when the beginning has been read.</param>
/// <param name="reading">Cancels the opening and the pending read; null if they cannot be cancelled.</param>
/// <param name="clock">Measures the grace period of the disposal.</param>
internal sealed class PartlyReadStream(
    ArraySegment<byte> beginning,
    PendingRead? pending,
    Task<Stream> opening,
    IDisposable content,
    IDisposable lease,
    CancellationTokenSource? reading,
    TimeProvider clock)
    : Stream
{
    /// <summary>How long disposal waits for a cancelled read, which may ignore its token, before it disposes the stream.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);

    private ArraySegment<byte> _beginning = beginning;
    private PendingRead? _pending = pending;
    private bool _isDisposed;

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
        if (_pending is not null && _beginning.Count == 0)
        {
            Accept(_pending.Task.GetAwaiter().GetResult());
        }

        var taken = Take(buffer);
        return taken > 0 || buffer.IsEmpty ? taken : opening.GetAwaiter().GetResult().Read(buffer);
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var taken = Take(buffer.Span);
        return taken > 0 || buffer.IsEmpty ? new(taken)
            : _pending is null && opening.IsCompletedSuccessfully ? opening.Result.ReadAsync(buffer, cancellationToken)
            : ReadFurtherAsync(buffer, cancellationToken);
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
        if (disposing && !_isDisposed)
        {
            _isDisposed = true;
            _beginning = default;
            lease.Dispose();
            if (_pending is { Task.IsCompleted: false } || !opening.IsCompleted)
            {
                reading?.Cancel();
            }

            _ = DisposeRestAsync(_pending);
        }

        base.Dispose(disposing);
    }

    /// <summary>Waits for the opening and the pending read, then reads on. The reader's token cancels all of it.</summary>
    private async ValueTask<int> ReadFurtherAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Stream rest;
        using (cancellationToken.UnsafeRegister(static reading => (reading as CancellationTokenSource)?.Cancel(), reading))
        {
            try
            {
                rest = await opening.ConfigureAwait(false);
                if (_pending is { } pending)
                {
                    Accept(await pending.Task.ConfigureAwait(false));
                }
            }
            catch (OperationCanceledException exception) when (cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException(exception.Message, exception, cancellationToken);
            }
        }

        var taken = Take(buffer.Span);
        return taken > 0 ? taken : await rest.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    private async Task DisposeRestAsync(PendingRead? pending)
    {
        await EndAsync(pending).WaitAsync(s_grace, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var late = opening.IsCompleted ? null : opening;
        DisposeStream();
        content.Dispose();
        if (late is not null)
        {
            await ((Task)late).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            DisposeStream();
        }
    }

    private async Task EndAsync(PendingRead? pending)
    {
        await opening.ConfigureAwait(false);
        if (pending is not null)
        {
            await pending.Task.ConfigureAwait(false);
        }
    }

    private void DisposeStream()
    {
        try
        {
            if (opening.IsCompletedSuccessfully)
            {
                opening.Result.Dispose();
            }
        }
        catch (Exception)
        {
            // The reader has disposed the response already and cannot get the exception.
        }
    }

    /// <summary>Makes the bytes of the ended read the next ones.</summary>
    private void Accept(int count)
    {
        _beginning = _pending!.Buffer[..count];
        _pending = null;
    }

    private int Take(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _beginning.Count);
        if (count > 0)
        {
            _beginning.AsSpan(0, count).CopyTo(buffer);
            _beginning = _beginning[count..];
        }

        if (_beginning.Count == 0)
        {
            // The array is not referenced here any more, so its bytes no longer count.
            _beginning = default;
            if (_pending is null)
            {
                lease.Dispose();
            }
        }

        return count;
    }
}
