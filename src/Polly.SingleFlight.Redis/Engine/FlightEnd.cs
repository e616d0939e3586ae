namespace Polly.SingleFlight.Redis.Engine;

/// <summary>How a leader ends its flight.</summary>
/// <param name="Outcome">What those who wait receive; null if that is not known to be needed.</param>
/// <param name="Cutoff">Registrations later than this, in microseconds of the server's clock, do not receive it; 0 for none.</param>
/// <param name="IsGivenUp">Whether there is no outcome, and others take over.</param>
internal readonly record struct FlightEnd(byte[]? Outcome, long Cutoff, bool IsGivenUp)
{
    public static FlightEnd GivenUp => new(null, 0, IsGivenUp: true);
}
