namespace Polly.SingleFlight;

/// <summary>
/// Arguments of <see cref="SingleFlightStrategyOptions.KeyGenerator"/>.
/// </summary>
public readonly struct SingleFlightKeyGeneratorArguments
{
    /// <summary>Initializes a new instance of the <see cref="SingleFlightKeyGeneratorArguments"/> struct.</summary>
    /// <param name="context">The context the event belongs to.</param>
    public SingleFlightKeyGeneratorArguments(ResilienceContext context)
    {
        Context = context;
    }

    /// <summary>Gets the context this is about; do not keep it, it goes back to a pool.</summary>
    public ResilienceContext Context { get; }
}
