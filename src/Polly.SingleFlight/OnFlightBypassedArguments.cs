namespace Polly.SingleFlight;

/// <summary>
/// Arguments of <see cref="SingleFlightStrategyOptions.OnFlightBypassed"/>.
/// </summary>
public readonly struct OnFlightBypassedArguments
{
    /// <summary>Initializes a new instance of the <see cref="OnFlightBypassedArguments"/> struct.</summary>
    /// <param name="context">The context the event belongs to.</param>
    /// <param name="reason">Why the execution was not coalesced.</param>
    public OnFlightBypassedArguments(ResilienceContext context, BypassReason reason)
    {
        Context = context;
        Reason = reason;
    }

    /// <summary>Gets the context this is about; do not keep it, it goes back to a pool.</summary>
    public ResilienceContext Context { get; }

    /// <summary>Gets why the execution was not coalesced.</summary>
    public BypassReason Reason { get; }
}
