namespace Polly.SingleFlight.Http;

/// <summary>A read that was begun and has not ended.</summary>
/// <param name="Task">Ends with the number of bytes.</param>
/// <param name="Buffer">Where they will be.</param>
internal sealed record PendingRead(Task<int> Task, ArraySegment<byte> Buffer);
