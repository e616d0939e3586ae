namespace Polly.SingleFlight.Http;

/// <summary>
/// The bytes that were read already, then those of a read that is under way, then the rest of the stream they come from. Two
/// reads of one stream at a time would take bytes from each other, so the rest is read only when the read has ended.
/// </summary>
/// <param name="beginning">What was read.</param>
/// <param name="pending">A read that has not ended, if there is one.</param>
/// <param name="opening">The stream itself, once it is open.</param>
/// <param name="content">The content that the stream is of, disposed with it.</param>
/// <param name="lease">The memory of the beginning; given back when that has been read.</param>
/// <param name="reading">Ends what is under way, if something is.</param>
/// <param name="clock">The clock of how long the end of that is waited for.</param>
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
    /// <summary>How long a read that was cancelled may take to end before its stream is disposed under it, as no stream need listen to its token.</summary>
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

    /// <summary>Waits for what is under way, whose token a cancelled reader ends as it would have ended its own read.</summary>
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
            // The response was disposed long ago, so nobody is left to hear it.
        }
    }

    /// <summary>Makes the bytes of the read that was under way the next ones to be taken.</summary>
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
            // The bytes are the leader's to keep from now on, if it does.
            _beginning = default;
            if (_pending is null)
            {
                lease.Dispose();
            }
        }

        return count;
    }
}
