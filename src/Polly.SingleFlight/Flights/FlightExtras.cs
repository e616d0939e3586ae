using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>What few flights have: most have no listener, no nested flight, and no caller that leaves.</summary>
internal sealed class FlightExtras
{
    private InterceptedFlight? _interception;

    /// <inheritdoc cref="Flight.Interception"/>
    public InterceptedFlight? Interception => Volatile.Read(ref _interception);

    /// <summary>Whether the times are noted at which callers join. Guarded by the gate.</summary>
    public bool NotesJoins { get; set; }

    /// <summary>Callers that joined after this time do not get the outcome. Guarded by the gate.</summary>
    public long LastJoin { get; set; } = long.MaxValue;

    /// <inheritdoc cref="Flight.FiredTokens"/>
    public List<CancellationToken>? FiredTokens { get; set; }

    /// <inheritdoc cref="Flight.Nesting"/>
    public Nesting? Nesting { get; set; }

    /// <inheritdoc cref="Flight.OwnSpan"/>
    public Activity? OwnSpan { get; set; }

    /// <inheritdoc cref="Flight.Span"/>
    public Activity? Span { get; set; }

    /// <inheritdoc cref="Flight.SetInterception"/>
    public InterceptedFlight SetInterception(InterceptedFlight interception) =>
        Interlocked.CompareExchange(ref _interception, interception, null) ?? interception;
}
