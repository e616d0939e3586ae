namespace Polly.SingleFlight.Redis;

/// <summary>
/// What the event <c>OnDistributedFlightBypassed</c> says.
/// </summary>
/// <param name="context">The context of the execution.</param>
/// <param name="reason">Why it ran on this node alone.</param>
public readonly struct OnDistributedFlightBypassedArguments(ResilienceContext context, DistributedBypassReason reason)
{
    /// <summary>Gets the context of the execution.</summary>
    public ResilienceContext Context { get; } = context;

    /// <summary>Gets why it ran on this node alone.</summary>
    public DistributedBypassReason Reason { get; } = reason;

    /// <summary>Returns the name of the reason.</summary>
    /// <returns>The name.</returns>
    public override string ToString() => Reason.ToString();
}
