namespace Polly.SingleFlight;

/// <summary>
/// What the callers of a flight get when it was ended by <see cref="SingleFlightGroup.Cancel"/>.
/// </summary>
public sealed class FlightCanceledException : ExecutionRejectedException
{
    /// <summary>Initializes a new instance of the <see cref="FlightCanceledException"/> class.</summary>
    public FlightCanceledException()
        : base("The flight was canceled through its group before it completed.")
    {
    }

    /// <summary>Initializes a new instance of the <see cref="FlightCanceledException"/> class.</summary>
    /// <param name="message">The message that describes the error.</param>
    public FlightCanceledException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="FlightCanceledException"/> class.</summary>
    /// <param name="message">The message that describes the error.</param>
    /// <param name="innerException">The exception that caused this one.</param>
    public FlightCanceledException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
