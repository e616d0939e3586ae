using System.Diagnostics;

namespace Polly.SingleFlight.Flights;

/// <summary>A flight whose callback was started, with what has to be given back when it ends.</summary>
/// <param name="Flight">The flight.</param>
/// <param name="Context">The flight's own context.</param>
/// <param name="Span">The flight's span, when somebody listens.</param>
/// <param name="IsCounted">Whether the flight was counted as active.</param>
internal readonly record struct Flown<TResult>(Flight<TResult> Flight, ResilienceContext Context, Activity? Span, bool IsCounted);
