using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>What few flights have: most have no listener, no nested flight, and no caller that leaves.</summary>
internal sealed class FlightExtras
{
    /// <inheritdoc cref="Flight.FiredTokens"/>
    public List<CancellationToken>? FiredTokens { get; set; }

    /// <inheritdoc cref="Flight.Nesting"/>
    public Nesting? Nesting { get; set; }

    /// <inheritdoc cref="Flight.OwnSpan"/>
    public Activity? OwnSpan { get; set; }

    /// <inheritdoc cref="Flight.Span"/>
    public Activity? Span { get; set; }
}
