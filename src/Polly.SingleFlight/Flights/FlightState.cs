namespace Polly.SingleFlight.Flights;

/// <summary>
/// How far a flight has come. It goes from <see cref="Open"/> to <see cref="Joinable"/> when it is put into the table and back when it is forgotten;
/// else the order is that of the values, and there is no way back.
/// </summary>
internal enum FlightState : byte
{
    /// <summary>The flight has callers and is not in the table.</summary>
    Open,

    /// <summary>The flight has callers and is in the table, where newcomers find it.</summary>
    Joinable,

    /// <summary>The flight has given up its callers: it landed, was abandoned, handed over or cancelled.</summary>
    Closed,

    /// <summary>Everybody who waited has been given something, and the callback has ended.</summary>
    Ended,
}
