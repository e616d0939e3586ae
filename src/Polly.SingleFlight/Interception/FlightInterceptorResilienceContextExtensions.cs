using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight;

/// <summary>
/// What a strategy outside single flight sets on a <see cref="ResilienceContext"/> and finds there. For authors of strategies.
/// </summary>
public static class FlightInterceptorResilienceContextExtensions
{
    /// <summary>
    /// Sets what a strategy outside does inside the next flight that this caller leads.
    /// </summary>
    /// <param name="context">The context of the execution.</param>
    /// <param name="interceptor">The interceptor, or <see langword="null"/> to take it off.</param>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    public static void SetFlightInterceptor(this ResilienceContext context, FlightInterceptor? interceptor)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Properties.Set(ContextProperties.Interceptor, interceptor);
    }

    /// <summary>
    /// Gets the interceptor that is set on a context.
    /// </summary>
    /// <param name="context">The context of the execution.</param>
    /// <returns>The interceptor, or <see langword="null"/> when none is set.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    public static FlightInterceptor? GetFlightInterceptor(this ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Properties.TryGetValue(ContextProperties.Interceptor, out var interceptor) ? interceptor : null;
    }

    /// <summary>
    /// Gets the interceptor that worked for the flight which gave this caller its outcome: the caller's own, or that of its leader.
    /// </summary>
    /// <param name="context">The caller's own context.</param>
    /// <param name="identity">The <see cref="FlightInterceptor.Identity"/> to find.</param>
    /// <returns>The interceptor, or <see langword="null"/> when none of this identity did.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> or <paramref name="identity"/> is <see langword="null"/>.</exception>
    public static FlightInterceptor? FindFlightInterceptor(this ResilienceContext context, object identity)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(identity);
        return context.Properties.TryGetValue(ContextProperties.Participation, out var participation)
            ? participation?.Flight?.Interception?.Find(identity)
            : null;
    }

    /// <summary>
    /// Gets the flight whose callback runs with this context, as the strategies outside see it that work inside the flight.
    /// </summary>
    /// <param name="context">The context that the callback was given.</param>
    /// <returns>
    /// The flight, or <see langword="null"/> if the context is not that of a flight, or nothing works inside it. A context that its callback uses for executions of other
    /// pipelines is still the flight's: <see cref="FlightInterceptor.IsFor"/> tells one from the other.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    public static InterceptedFlight? GetInterceptedFlight(this ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return FlightOf(context)?.Interception;
    }

    /// <summary>
    /// Has the flight whose callback runs with this context note when callers join, from now on, for <see cref="ExcludeJoinedAfter"/>. Nothing happens if the context is not that of
    /// a flight.
    /// </summary>
    /// <param name="context">The context that the callback was given.</param>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    public static void NoteJoins(this ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        FlightOf(context)?.NoteJoins();
    }

    /// <summary>
    /// Keeps the outcome of the flight whose callback runs with this context from callers that joined after a given time, for a strategy inside whose outcome somebody else,
    /// such as another machine, may have held since then. When the flight lands, these callers elect one of them, whose own callback is called for them. Callers that joined
    /// before <see cref="NoteJoins"/> get the outcome. Of several times the earliest holds, also where the callback makes several attempts. Nothing happens if the context is not
    /// that of a flight.
    /// </summary>
    /// <param name="context">The context that the callback was given.</param>
    /// <param name="timestamp">The time, of <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> or of <see cref="TimeProvider.System"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    /// <remarks>
    /// It concerns the callers of this flight, and not those of a flight around it. A flight without <see cref="SingleFlightStrategyOptions.DetectReentrancy"/> is known by its own token
    /// only, and not where a strategy further out, such as a timeout, has replaced that.
    /// </remarks>
    public static void ExcludeJoinedAfter(this ResilienceContext context, long timestamp)
    {
        ArgumentNullException.ThrowIfNull(context);
        FlightOf(context)?.ExcludeJoinedAfter(timestamp);
    }

    /// <summary>
    /// Whether the caller leads or follows a flight that has not given it an outcome yet.
    /// </summary>
    /// <param name="context">The caller's own context.</param>
    /// <returns><see langword="true"/> while it waits.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    public static bool IsInFlight(this ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Properties.TryGetValue(ContextProperties.Participation, out var participation)
            && participation is { Flight: not null }
            && participation.ToResult() is null;
    }

    /// <summary>
    /// Takes the result of an earlier execution off a context, so that it does not pass for that of an execution which a strategy outside answers by itself.
    /// </summary>
    /// <param name="context">The context of the execution.</param>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    public static void ClearSingleFlightResult(this ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Properties.TryGetValue(ContextProperties.Participation, out var participation) && participation is not null)
        {
            context.Properties.Set(ContextProperties.Participation, null);
        }
    }

    /// <summary>
    /// Sets how old the result is that a strategy returns, for a cache further out.
    /// </summary>
    /// <param name="context">The context of the execution.</param>
    /// <param name="origin">The origin, or <see langword="null"/> for a result that the callback has just made.</param>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    public static void SetResultOrigin(this ResilienceContext context, IResultOrigin? origin)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Properties.Set(ContextProperties.Origin, origin);
    }

    /// <summary>
    /// Gets what <see cref="SetResultOrigin"/> has set.
    /// </summary>
    /// <param name="context">The context of the execution.</param>
    /// <returns>The origin, or <see langword="null"/> when none is set.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    public static IResultOrigin? GetResultOrigin(this ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Properties.TryGetValue(ContextProperties.Origin, out var origin) ? origin : null;
    }

    private static Flight? FlightOf(ResilienceContext context)
    {
        var flight = FlightToken.FindFlight(context.CancellationToken);
        if (flight is null)
        {
            context.Properties.TryGetValue(ContextProperties.Flight, out flight);
        }

        return flight is { HasEnded: false } ? flight : null;
    }
}
