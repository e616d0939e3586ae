using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight;

/// <summary>The entries of a <see cref="ResilienceContext"/> that belong to this library.</summary>
internal static class ContextProperties
{
    public const string Prefix = "Polly.SingleFlight.";

    public static readonly ResiliencePropertyKey<object?> Key = new(Prefix + "Key");

    /// <summary>The caller's part in its flight, from which its <see cref="SingleFlightResult"/> is made when asked for.</summary>
    public static readonly ResiliencePropertyKey<IParticipation?> Participation = new(Prefix + "Participation");
}
