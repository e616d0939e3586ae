using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight;

/// <summary>
/// The entries of a <see cref="ResilienceContext"/> that belong to this library. Their names are short because every call
/// hashes them.
/// </summary>
internal static class ContextProperties
{
    public static readonly ResiliencePropertyKey<object?> Key = new("Polly.SF.Key");

    /// <summary>The caller's part in its flight, from which its <see cref="SingleFlightResult"/> is made when asked for.</summary>
    public static readonly ResiliencePropertyKey<IParticipation?> Participation = new("Polly.SF.Part");

    /// <summary>What the strategy outside wants done inside the next flight that this caller leads; nobody else finds it.</summary>
    public static readonly ResiliencePropertyKey<FlightInterceptor?> Interceptor = new("Polly.SF.Inside");

    /// <summary>How old the result is that the last strategy inside returned.</summary>
    public static readonly ResiliencePropertyKey<IResultOrigin?> Origin = new("Polly.SF.Origin");

    /// <summary>The flight whose context this is, or from whose context its properties were copied.</summary>
    public static readonly ResiliencePropertyKey<Flight?> Flight = new("Polly.SF.Flight");

    /// <summary>Whether a property of the flight's context is the flight's own: one of these, or one by which a request travels.</summary>
    public static bool StaysWithFlight(string name) =>
        name == Key.Key || name == Participation.Key || name == Interceptor.Key || name == Flight.Key
        || name.StartsWith(ResilienceHttp.Prefix, StringComparison.Ordinal);
}
