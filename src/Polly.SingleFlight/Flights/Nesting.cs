namespace Polly.SingleFlight.Flights;

/// <summary>A flight's place in the <see cref="WaitGraph"/>, which guards it. Most flights do not nest and have none.</summary>
internal sealed class Nesting
{
    /// <summary>The flight inside whose callback this one was started.</summary>
    public Flight? Enclosing { get; set; }

    /// <summary>What code inside this flight's callback waits for; null when there is nothing, and when the flight has ended.</summary>
    public List<IWait>? Waits { get; set; }
}
