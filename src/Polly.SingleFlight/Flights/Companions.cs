using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>What few flights have, so that the others do not pay for it.</summary>
internal sealed class Companions
{
    private InterceptedFlight? _interception;

    /// <inheritdoc cref="Flight.Span"/>
    public Activity? Span { get; set; }

    /// <inheritdoc cref="Flight.Interception"/>
    public InterceptedFlight? Interception => Volatile.Read(ref _interception);

    /// <inheritdoc cref="Flight.SetInterception"/>
    public InterceptedFlight SetInterception(InterceptedFlight interception) =>
        Interlocked.CompareExchange(ref _interception, interception, null) ?? interception;
}
