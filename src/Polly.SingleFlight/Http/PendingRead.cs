namespace Polly.SingleFlight.Http;

/// <summary>A read that has begun and not ended.</summary>
/// <param name="Task">Returns the number of bytes.</param>
/// <param name="Buffer">The buffer that the bytes are written to.</param>
internal sealed record PendingRead(Task<int> Task, ArraySegment<byte> Buffer);
