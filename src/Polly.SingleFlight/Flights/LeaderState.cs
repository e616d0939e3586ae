namespace Polly.SingleFlight.Flights;

/// <summary>What has become of a flight's leader.</summary>
internal enum LeaderState : byte
{
    /// <summary>The callback runs on the leader's thread.</summary>
    Running,

    /// <summary>The callback has yielded, and the leader has a wait of its own.</summary>
    Waiting,

    /// <summary>The leader's token has fired while the callback runs on its thread; it leaves when that yields or ends (S4).</summary>
    Leaving,

    /// <summary>The same, and the leader was the last caller; it reports that when it returns.</summary>
    Abandoning,

    /// <summary>The leader left before the flight closed, and has returned.</summary>
    Left,

    /// <summary>The leader was let go because the flight was cancelled or had closed.</summary>
    LetGo,
}
