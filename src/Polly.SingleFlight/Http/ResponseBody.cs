namespace Polly.SingleFlight.Http;

/// <summary>
/// Reads the body of a response into memory, within the limit of one response and the budget of all. It counts the bytes after decompression,
/// and uses the announced length only as a hint for the first buffer. A body of unknown length may not end, so it has a deadline.
/// </summary>
internal sealed class ResponseBody(int limit, BufferBudget budget, TimeSpan maxWait, TimeProvider clock)
{
    private const int FirstBuffer = 4 * 1024;
    private const int LargestHint = 64 * 1024;

    /// <summary>The result of a reading: the whole body in memory, or a stream of it.</summary>
    /// <param name="Bytes">The whole body; empty if the reading stopped before its end.</param>
    /// <param name="Unshareable">The reason why the reading stopped; none for a whole body.</param>
    /// <param name="Rest">The stream of the whole body, from its first byte; null for a whole body.</param>
    public readonly record struct Reading(ArraySegment<byte> Bytes, Unshareable Unshareable, Stream? Rest);

    /// <summary>Reads the body. Throws what the stream throws.</summary>
    public async ValueTask<Reading> ReadAsync(HttpContent content, ContentLengths lengths, CancellationToken cancellationToken)
    {
        using var deadline = (lengths.Announced ?? lengths.Computed) is null ? new BodyDeadline(maxWait, clock, cancellationToken) : null;
        var token = deadline?.Reading.Token ?? cancellationToken;
        var taken = 0L;
        var buffer = Array.Empty<byte>();
        var length = 0;
        var probe = new byte[1];
        try
        {
            var opening = OpenAsync(content, token);
            if (deadline is not null && !await deadline.IsMetByAsync(opening).ConfigureAwait(false))
            {
                return Part(Unshareable.BodyTooSlow, opening, pending: null);
            }

            var stream = await opening.ConfigureAwait(false);
            while (true)
            {
                // A read of one byte tells whether a full buffer has to grow. A body as large as the limit is complete.
                var isFull = length == buffer.Length;
                var target = isFull ? new ArraySegment<byte>(probe) : new ArraySegment<byte>(buffer, length, buffer.Length - length);
                var reading = stream.ReadAsync(target, token);
                int read;
                if (deadline is null || reading.IsCompleted)
                {
                    read = await reading.ConfigureAwait(false);
                }
                else
                {
                    var pending = reading.AsTask();
                    if (!await deadline.IsMetByAsync(pending).ConfigureAwait(false))
                    {
                        return Part(Unshareable.BodyTooSlow, opening, new PendingRead(pending, target));
                    }

                    read = await pending.ConfigureAwait(false);
                }

                if (read == 0)
                {
                    return new(new(buffer, 0, length), Unshareable.None, null);
                }

                if (isFull)
                {
                    var wanted = NextCapacity(length, lengths.Announced) - length;
                    var granted = budget.Take(wanted);
                    taken += granted;
                    Array.Resize(ref buffer, length + Math.Max(granted, 1));
                    buffer[length] = probe[0];
                    if (granted == 0)
                    {
                        length++;
                        return Part(wanted == 0 ? Unshareable.BodyTooLarge : Unshareable.BuffersFull, opening, pending: null);
                    }
                }

                length += read;
                if (deadline is { HasPassed: true })
                {
                    return Part(Unshareable.BodyTooSlow, opening, pending: null);
                }
            }
        }
        finally
        {
            budget.GiveBack(taken);
        }

        Reading Part(Unshareable reason, Task<Stream> opening, PendingRead? pending)
        {
            // A leader that does not read its response does not observe the exceptions of these tasks.
            Observe(opening);
            Observe(pending?.Task);
            var lease = new BufferLease(budget, taken);
            taken = 0;
            return new(
                default, reason, new PartlyReadStream(new(buffer, 0, length), pending, opening, content, lease, deadline?.Reading, clock));
        }
    }

    /// <summary>
    /// Opens the stream of the content at its beginning. A handler inside the flight may have read content in memory, which returns the same
    /// stream each time.
    /// </summary>
    private static async Task<Stream> OpenAsync(HttpContent content, CancellationToken cancellationToken)
    {
        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        if (stream is not MemoryStream memory)
        {
            return stream;
        }

        if (!memory.CanRead)
        {
            memory = new MemoryStream();
            await content.CopyToAsync(memory, cancellationToken).ConfigureAwait(false);
        }

        memory.Position = 0;
        return memory;
    }

    private static void Observe(Task? task) => task?.ContinueWith(
        static ended => _ = ended.Exception,
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);

    private int NextCapacity(int length, long? hint)
    {
        var wanted = length == 0 ? Math.Clamp(hint ?? FirstBuffer, 1, LargestHint) : Math.Max(length * 2L, FirstBuffer);
        if (hint > length && hint < wanted)
        {
            wanted = hint.Value;
        }

        return (int)Math.Min(wanted, limit);
    }
}
