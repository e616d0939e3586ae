namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>
/// The flights inside whose callbacks the code runs, by its execution context or by its <see cref="ResilienceContext"/>: an execution of one of them would wait for itself.
/// </summary>
internal sealed class Nesting
{
    private static readonly AsyncLocal<Nesting?> s_current = new();
    private static readonly ResiliencePropertyKey<Nesting?> s_property = new("Polly.SF.Redis.Nesting");

    private readonly string _flight;
    private readonly Nesting? _outer;
    private volatile bool _hasEnded;

    private Nesting(string flight, Nesting? outer) => (_flight, _outer) = (flight, outer);

    public static bool Includes(string flight, ResilienceContext context) =>
        Includes(s_current.Value, flight) || (context.Properties.TryGetValue(s_property, out var ofContext) && Includes(ofContext, flight));

    /// <summary>Runs the callback inside the flight.</summary>
    public static async ValueTask<Outcome<TResult>> RunAsync<TResult, TState>(
        string flight, Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        context.Properties.TryGetValue(s_property, out var before);
        var nesting = new Nesting(flight, s_current.Value ?? before);
        context.Properties.Set(s_property, nesting);

        // The change ends with this method.
        s_current.Value = nesting;
        var outcome = await Outcomes.InvokeAsync(callback, context, state).ConfigureAwait(context.ContinueOnCapturedContext);
        nesting._hasEnded = true;
        context.Properties.Set(s_property, before);
        return outcome;
    }

    /// <summary>What the callback has started, and left running when it ended, is inside nothing.</summary>
    private static bool Includes(Nesting? nesting, string flight)
    {
        for (; nesting is not null; nesting = nesting._outer)
        {
            if (!nesting._hasEnded && nesting._flight == flight)
            {
                return true;
            }
        }

        return false;
    }
}
