namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>How far the callback of a flight has come.</summary>
internal enum ModelStage
{
    /// <summary>The flight is a successor whose leader has not begun.</summary>
    Elected,

    /// <summary>The callback runs on its leader's thread.</summary>
    Running,

    /// <summary>The callback has yielded.</summary>
    Yielded,

    /// <summary>The callback has ended, and nobody has been served.</summary>
    Landed,

    Ended,
}

/// <summary>What the model knows about a flight.</summary>
internal sealed class ModelFlight(int number, int key, bool isText, ModelRules rules)
{
    public int Number => number;

    public int Key => key;

    public bool IsText => isText;

    public ModelRules Rules => rules;

    public ModelCaller Leader { get; set; } = null!;

    public List<ModelCaller> Followers { get; } = [];

    public int Joined { get; set; } = 1;

    public ModelStage Stage { get; set; }

    public bool IsInTable { get; set; }

    public bool IsClosed { get; set; }

    public bool IsCanceled { get; set; }

    /// <summary>Whether the leader has a wait of its own.</summary>
    public bool IsSeated { get; set; }

    /// <summary>Whether the flight has landed with nobody to serve before its leader, which can leave no more (L1).</summary>
    public bool IsLeaderTaken { get; set; }

    /// <summary>Whether the leader left before the flight closed.</summary>
    public bool LeaderLeft { get; set; }

    /// <summary>Whether the leader was the last to leave, while its callback ran on its thread.</summary>
    public bool LeaderAbandons { get; set; }

    /// <summary>The last callers that left this flight or one before it because their tokens fired.</summary>
    public List<ModelCaller> Fired { get; init; } = [];

    /// <summary>Those who were in the flight when it landed, if the outcome may be for them.</summary>
    public List<ModelCaller> ToServe { get; } = [];

    public bool LandedTooLate { get; set; }

    /// <summary>Who was let go by somebody else while it waited for this flight, in order.</summary>
    public List<int> Released { get; } = [];

    public int Waiters => (LeaderLeft ? 0 : 1) + Followers.Count;

    public bool Has(int otherKey, bool otherIsText, int? realm) => key == otherKey && isText == otherIsText && rules.Realm == realm;
}
