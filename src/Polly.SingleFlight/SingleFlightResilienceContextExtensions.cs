using Polly.SingleFlight;
using Polly.SingleFlight.Flights;

namespace Polly;

/// <summary>
/// What single flight reads from and writes to a <see cref="ResilienceContext"/>.
/// </summary>
public static class SingleFlightResilienceContextExtensions
{
    /// <summary>
    /// Sets the key under which executions with this context are coalesced, until it is set again or the context returns to its pool.
    /// </summary>
    /// <param name="context">The context of the execution.</param>
    /// <param name="key">
    /// Any value with value equality, such as a string, a tuple or a record, that says everything in which two executions may
    /// differ, the user included. <see langword="null"/> and the empty string bypass.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    /// <remarks>
    /// The context that a callback is given has the key too. Set another before you execute a different pipeline with that context: a key says what
    /// is the same for one pipeline, and may say something else for the next.
    /// </remarks>
    public static void SetSingleFlightKey(this ResilienceContext context, object? key)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Properties.Set(ContextProperties.Key, key);
    }

    /// <summary>
    /// Gets the key set with <see cref="SetSingleFlightKey"/>.
    /// </summary>
    /// <param name="context">The context of the execution.</param>
    /// <returns>The key, or <see langword="null"/> when none was set.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    public static object? GetSingleFlightKey(this ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Properties.TryGetValue(ContextProperties.Key, out var key) ? key : null;
    }

    /// <summary>
    /// Gets how the last execution with this context was coalesced.
    /// </summary>
    /// <param name="context">The caller's own context.</param>
    /// <returns>The result, or <see langword="null"/> when no single flight strategy has run with this context to its end.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    public static SingleFlightResult? GetSingleFlightResult(this ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        FlightClock.RequireExact();
        return context.Properties.TryGetValue(ContextProperties.Participation, out var participation)
            ? participation?.ToResult()
            : null;
    }
}
