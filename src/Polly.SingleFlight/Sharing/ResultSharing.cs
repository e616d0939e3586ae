namespace Polly.SingleFlight.Sharing;

/// <summary>The options that depend on the result type, callable for the type an execution was made with.</summary>
internal abstract class ResultSharing
{
    public abstract bool HasCloner { get; }

    public abstract UnsharedOutcome UnsharedOutcome { get; }

    /// <summary>Asks the predicate; true when there is none. Throws what the predicate throws.</summary>
    public abstract ValueTask<bool> ShouldShareAsync<TActual>(ResilienceContext context, Outcome<TActual> outcome);

    /// <summary>Makes a copy of a result. Throws what the cloner throws.</summary>
    public abstract ValueTask<TActual> CloneAsync<TActual>(ResilienceContext context, TActual result);
}
