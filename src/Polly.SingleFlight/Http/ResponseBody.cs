namespace Polly.SingleFlight.Http;

/// <summary>
/// Reads the body of a response into memory, within the limit of one response and the budget of all. Bytes are counted as
/// they come, after decompression; what was announced is only a hint for the first buffer.
/// </summary>
internal sealed class ResponseBody(int limit, BufferBudget budget)
{
    private const int FirstBuffer = 4 * 1024;
    private const int LargestHint = 64 * 1024;

    /// <summary>What became of the attempt: the whole body, or its beginning and the stream with the rest of it.</summary>
    /// <param name="Bytes">What was read.</param>
    /// <param name="Unshareable">Why the body was not read to its end, if it was not.</param>
    /// <param name="Rest">The stream that begins with what was read and goes on with the rest, if it was not.</param>
    public readonly record struct Reading(ArraySegment<byte> Bytes, Unshareable Unshareable, Stream? Rest);

    /// <summary>Reads. Throws what the stream throws.</summary>
    public async ValueTask<Reading> ReadAsync(HttpContent content, long? hint, CancellationToken cancellationToken)
    {
        var stream = await OpenAsync(content, cancellationToken).ConfigureAwait(false);
        var taken = 0L;
        try
        {
            var buffer = Array.Empty<byte>();
            var length = 0;
            var probe = new byte[1];
            while (true)
            {
                if (length < buffer.Length)
                {
                    var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
                    if (read == 0)
                    {
                        return new(new(buffer, 0, length), Unshareable.None, null);
                    }

                    length += read;
                    continue;
                }

                // Before the buffer grows, one byte tells whether there is more; a body as large as its limit is complete.
                if (await stream.ReadAsync(probe, cancellationToken).ConfigureAwait(false) == 0)
                {
                    return new(new(buffer, 0, length), Unshareable.None, null);
                }

                var wanted = NextCapacity(length, hint) - length;
                var granted = budget.Take(wanted);
                if (granted == 0)
                {
                    var lease = new BufferLease(budget, taken);
                    taken = 0;
                    return new(
                        default,
                        wanted == 0 ? Unshareable.BodyTooLarge : Unshareable.BuffersFull,
                        new PartlyReadStream(new([.. buffer.AsSpan(0, length), probe[0]]), stream, lease));
                }

                taken += granted;
                Array.Resize(ref buffer, length + granted);
                buffer[length++] = probe[0];
            }
        }
        finally
        {
            budget.GiveBack(taken);
        }
    }

    /// <summary>
    /// The stream of the content, from its beginning: a handler inside may have read content that is in memory, and content keeps
    /// the stream that it once gave.
    /// </summary>
    private static async ValueTask<Stream> OpenAsync(HttpContent content, CancellationToken cancellationToken)
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
