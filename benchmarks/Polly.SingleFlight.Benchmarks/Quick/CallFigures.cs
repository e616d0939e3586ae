namespace Polly.SingleFlight.Benchmarks.Quick;

/// <param name="Name">The contestant.</param>
/// <param name="Nanoseconds">Time per call.</param>
/// <param name="Ratio">Time relative to the floor.</param>
/// <param name="NanosecondsOverFloor">Time per call beyond the floor's.</param>
/// <param name="BytesOverFloor">Bytes per call beyond the floor's.</param>
internal sealed record CallFigures(string Name, double Nanoseconds, double Ratio, double NanosecondsOverFloor, double BytesOverFloor);
