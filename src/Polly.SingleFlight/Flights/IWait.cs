namespace Polly.SingleFlight.Flights;

/// <summary>An edge of the <see cref="WaitGraph"/>: code inside one flight waits for another.</summary>
internal interface IWait
{
    /// <summary>The flight that is waited for, or null when the wait is over.</summary>
    Flight? Target { get; }
}
