namespace Polly.SingleFlight.Redis.Soak;

/// <summary>What happens to nodes and server.</summary>
internal enum FaultKind
{
    /// <summary>A node is killed, and another starts in its place.</summary>
    Kill,

    /// <summary>A node is stopped for less than the lease.</summary>
    ShortStop,

    /// <summary>A node is stopped for longer than the lease.</summary>
    LongStop,

    /// <summary>The server forgets scripts.</summary>
    ScriptFlush,

    /// <summary>The server cuts the connections on which commands come.</summary>
    CutCommands,

    /// <summary>The server cuts the connections on which messages go.</summary>
    CutMessages,

    /// <summary>The server forgets all keys.</summary>
    FlushAll,

    /// <summary>A key of a flight holds something else for a while.</summary>
    WrongType,

    /// <summary>A key of a flight is gone.</summary>
    LostKey,

    /// <summary>A node makes newcomers start afresh.</summary>
    Forget,
}
