using System.Runtime.CompilerServices;

namespace Polly.SingleFlight.Flights;

/// <summary>Finds the flight that a token is of, which is the source of its own token.</summary>
/// <remarks>
/// A token does not show its source, but holds nothing else. A registry of all flights by token would cost every flight an entry; reading the
/// field costs a caller with a token a nanosecond. Should a later runtime name the field otherwise, tokens are not recognised.
/// </remarks>
internal static class FlightToken
{
    private static readonly bool s_canRead = CanRead();

    /// <summary>The flight whose own token this is, or null. The token of a source that is linked to a flight's is not a flight's.</summary>
    public static Flight? FindFlight(CancellationToken token) => s_canRead && token.CanBeCanceled ? Source(ref token) as Flight : null;

    private static bool CanRead()
    {
        try
        {
            using var source = new CancellationTokenSource();
            var token = source.Token;
            return Source(ref token) == source;
        }
        catch (MissingFieldException)
        {
            return false;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_source")]
    private static extern ref CancellationTokenSource? Source(ref CancellationToken token);
}
