namespace Polly.SingleFlight;

/// <summary>
/// Arguments of <see cref="SingleFlightStrategyOptions{TResult}.ShouldShare"/>.
/// </summary>
/// <typeparam name="TResult">The result type of the pipeline.</typeparam>
public readonly struct ShouldSharePredicateArguments<TResult>
{
    /// <summary>Initializes a new instance of the <see cref="ShouldSharePredicateArguments{TResult}"/> struct.</summary>
    /// <param name="context">The context the event belongs to.</param>
    /// <param name="outcome">The outcome of the leader's callback.</param>
    public ShouldSharePredicateArguments(ResilienceContext context, Outcome<TResult> outcome)
    {
        Context = context;
        Outcome = outcome;
    }

    /// <summary>Gets the context this is about; do not keep it, it goes back to a pool.</summary>
    public ResilienceContext Context { get; }

    /// <summary>Gets the outcome of the leader's callback.</summary>
    public Outcome<TResult> Outcome { get; }
}
