namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>What the model knows about a caller.</summary>
internal sealed class ModelCaller(int number, ModelRules rules, bool hasToken, bool isFollower, ModelFlight flight)
{
    public const string OwnCancellation = "the cancellation of its own token";
    public const string GroupCancellation = "the group's cancellation";

    public int Number => number;

    public ModelRules Rules => rules;

    public bool HasToken => hasToken;

    public bool HasFired { get; set; }

    /// <summary>Whether the caller joined, and so has a follower's wait.</summary>
    public bool IsFollower => isFollower;

    /// <summary>The flight that its wait, or its lead, belongs to.</summary>
    public ModelFlight Flight { get; set; } = flight;

    /// <summary>The flight whose leader it is, from when it begins to lead.</summary>
    public ModelFlight? Leads { get; set; } = isFollower ? null : flight;

    /// <summary>Whether the follower has finished setting up.</summary>
    public bool IsReady { get; set; }

    /// <summary>Whether somebody has claimed the follower's wait.</summary>
    public bool IsClaimed { get; set; }

    public int Elections { get; set; }

    public bool IsRunRequested { get; set; }

    /// <summary>Whether the caller was elected too often.</summary>
    public bool IsAlone { get; set; }

    public bool RanAlone { get; set; }

    /// <summary>The outcome of its callback, should it run.</summary>
    public string OfCallback { get; } = OutcomeOf(number);

    /// <summary>What the caller got; null while it waits.</summary>
    public string? Outcome { get; set; }

    public static string OutcomeOf(int caller) => $"the outcome of caller {caller}'s callback";
}
