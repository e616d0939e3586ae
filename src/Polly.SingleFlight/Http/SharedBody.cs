using System.Buffers;

namespace Polly.SingleFlight.Http;

/// <summary>
/// Reads a body that all callers of a flight share. It writes copies of the bytes to other streams, because a stream may write into the array that
/// it is given.
/// </summary>
internal sealed class SharedBody(ArraySegment<byte> body)
    : MemoryStream(body.Array!, body.Offset, body.Count, writable: false, publiclyVisible: false)
{
    private const int Chunk = 16 * 1024;

    public override void WriteTo(Stream stream) => throw new NotSupportedException();

    public override void CopyTo(Stream destination, int bufferSize)
    {
        ValidateCopyToArguments(destination, bufferSize);
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            for (int read; (read = Read(chunk.AsSpan())) > 0;)
            {
                destination.Write(chunk, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        ValidateCopyToArguments(destination, bufferSize);
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            for (int read; (read = Read(chunk.AsSpan())) > 0;)
            {
                await destination.WriteAsync(chunk.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    private int ChunkSize => (int)Math.Clamp(Length - Position, 1, Chunk);
}
