namespace Polly.SingleFlight.Soak;

/// <summary>What may happen in an arena.</summary>
[Flags]
internal enum Hazards
{
    None = 0,

    /// <summary>Callers leave by their own token.</summary>
    Cancellation = 1,
    Forget = 2,
    GroupCancel = 4,
    Expiry = 8,

    /// <summary>Callbacks use their caller's token and fail with it.</summary>
    LeaderToken = 16,

    /// <summary>Callbacks call again, also into other arenas.</summary>
    Nested = 32,
    Faults = 64,

    /// <summary>Callers that block their thread.</summary>
    Sync = 128,

    /// <summary>Callbacks that end only when they are cancelled, and callers who all leave in the end.</summary>
    Patience = 256,

    /// <summary>Callbacks fail with a cancellation of their own.</summary>
    InnerCancellation = 512,

    /// <summary>Followers may be sent away to run alone.</summary>
    Alone = 1024,
}

/// <summary>Who may receive the outcome of an execution that ran while another of its key and type was started.</summary>
internal enum Overtaken
{
    /// <summary>Nobody: it had lost its callers.</summary>
    Nobody,

    /// <summary>Who entered before the other started.</summary>
    WhoEnteredBefore,

    /// <summary>The arena has flights that were never joinable, so nothing follows from it.</summary>
    Anybody,
}

/// <summary>What a call asks for.</summary>
internal enum ResultKind
{
    Number,
    Text,
    Receipt,
    Nothing,
    Lease,
}
