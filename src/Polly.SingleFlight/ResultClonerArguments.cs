namespace Polly.SingleFlight;

/// <summary>
/// Arguments of <see cref="SingleFlightStrategyOptions{TResult}.ResultCloner"/>.
/// </summary>
/// <typeparam name="TResult">The result type of the pipeline.</typeparam>
public readonly struct ResultClonerArguments<TResult>
{
    /// <summary>Initializes a new instance of the <see cref="ResultClonerArguments{TResult}"/> struct.</summary>
    /// <param name="context">The context the event belongs to.</param>
    /// <param name="result">The result of the leader's callback, to be copied and not changed.</param>
    public ResultClonerArguments(ResilienceContext context, TResult result)
    {
        Context = context;
        Result = result;
    }

    /// <summary>Gets the context this is about; do not keep it, it goes back to a pool.</summary>
    public ResilienceContext Context { get; }

    /// <summary>Gets the result of the leader's callback, to be copied and not changed.</summary>
    public TResult Result { get; }
}
