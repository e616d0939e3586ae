namespace Polly.SingleFlight.Telemetry;

/// <summary>
/// Tells a pipeline whose calls never carry a key, where single flight does nothing and somebody forgot to set one, from a
/// pipeline some of whose calls are meant to run alone.
/// </summary>
internal sealed class KeyUse
{
    /// <summary>How many calls without a key, and none with one, make a warning.</summary>
    public const int CallsUntilWarning = 10;

    private bool _hasSeenKey;
    private int _callsWithoutKey;

    public void Keyed()
    {
        if (!_hasSeenKey)
        {
            _hasSeenKey = true;
        }
    }

    /// <summary>Counts a call without a key; true for the one call that is to be reported as a warning.</summary>
    public bool IsNeverKeyed() =>
        !_hasSeenKey && _callsWithoutKey < CallsUntilWarning && Interlocked.Increment(ref _callsWithoutKey) == CallsUntilWarning;
}
