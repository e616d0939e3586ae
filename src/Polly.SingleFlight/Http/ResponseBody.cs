namespace Polly.SingleFlight.Http;

/// <summary>
/// Reads the body of a response into memory, within the limit of one response and the budget of all. Bytes are counted as
/// they come, after decompression; what was announced is only a hint for the first buffer. A body that does not say how long it is may
/// never end, so the reading of it is given up after a while.
/// </summary>
internal sealed class ResponseBody(int limit, BufferBudget budget, TimeSpan maxWait, TimeProvider clock)
{
    private const int FirstBuffer = 4 * 1024;
    private const int LargestHint = 64 * 1024;

    /// <summary>What became of the attempt: the whole body, or its beginning and the stream with the rest of it.</summary>
    /// <param name="Bytes">What was read.</param>
    /// <param name="Unshareable">Why the body was not read to its end, if it was not.</param>
    /// <param name="Rest">The stream that begins with what was read and goes on with the rest, if it was not.</param>
    public readonly record struct Reading(ArraySegment<byte> Bytes, Unshareable Unshareable, Stream? Rest);

    /// <summary>Reads. Throws what the stream throws.</summary>
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
                // Before the buffer grows, one byte tells whether there is more; a body as large as its limit is complete.
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
            // A leader that drops its response unread leaves nobody else to hear how they end.
            Observe(opening);
            Observe(pending?.Task);
            var lease = new BufferLease(budget, taken);
            taken = 0;
            return new(
                default, reason, new PartlyReadStream(new(buffer, 0, length), pending, opening, content, lease, deadline?.Reading, clock));
        }
    }

    /// <summary>
    /// The stream of the content, from its beginning: a handler inside may have read content that is in memory, and content keeps
    /// the stream that it once gave.
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
