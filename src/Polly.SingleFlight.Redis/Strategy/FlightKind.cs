using Polly.SingleFlight.Redis.Payload;

namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>The flights of one result type.</summary>
/// <param name="Format">How results are written.</param>
/// <param name="Text">Stands for result type, serializer and version in Redis.</param>
internal sealed record FlightKind<TActual>(ResultFormat<TActual> Format, string Text);
