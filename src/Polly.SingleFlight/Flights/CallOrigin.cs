namespace Polly.SingleFlight.Flights;

/// <summary>
/// The flights inside whose callbacks a caller runs, by all that shows it: its execution context, its <see cref="ResilienceContext"/> and its
/// token. They differ where one of them comes through a hop that another does not go through, or was started elsewhere.
/// </summary>
internal readonly struct CallOrigin
{
    private readonly Flight? _ambient;
    private readonly Flight? _ofContext;
    private readonly Flight? _ofToken;

    private CallOrigin(Flight? ambient, Flight? ofContext, Flight? ofToken)
    {
        _ambient = ambient;
        _ofContext = ofContext == ambient ? null : ofContext;
        _ofToken = ofToken == ambient || ofToken == ofContext ? null : ofToken;
    }

    /// <summary>The flight that counts as the innermost one; null if the caller is inside none.</summary>
    public Flight? Innermost => _ambient ?? _ofContext ?? _ofToken;

    /// <summary>Finds the flights that a caller runs inside of; false if there is none.</summary>
    public static bool TryFind(ResilienceContext context, out CallOrigin origin)
    {
        context.Properties.TryGetValue(ContextProperties.Flight, out var named);
        var ambient = WaitGraph.Current;
        var ofContext = WaitGraph.FirstNotEnded(named);
        var ofToken = WaitGraph.FirstNotEnded(FlightToken.FindFlight(context.CancellationToken));
        if (ambient is null && ofContext is null && ofToken is null)
        {
            origin = default;
            return false;
        }

        origin = new CallOrigin(ambient, ofContext, ofToken);
        return true;
    }

    public bool Includes(Flight flight) => flight == _ambient || flight == _ofContext || flight == _ofToken;

    /// <summary>Records that code inside these flights waits.</summary>
    public void AddEdges_NeedsLock(IWait wait)
    {
        WaitGraph.Gate.AssertIsHeld();
        AddEdge_NeedsLock(_ambient, wait);
        AddEdge_NeedsLock(_ofContext, wait);
        AddEdge_NeedsLock(_ofToken, wait);
    }

    private static void AddEdge_NeedsLock(Flight? from, IWait wait)
    {
        WaitGraph.Gate.AssertIsHeld();
        if (from is not null)
        {
            WaitGraph.AddEdge_NeedsLock(from, wait);
        }
    }
}
