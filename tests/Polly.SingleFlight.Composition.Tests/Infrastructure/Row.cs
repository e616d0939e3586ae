namespace Polly.SingleFlight.Composition.Tests.Infrastructure;

/// <summary>One row of the table: an order, an upstream, who comes when, and what must come of it.</summary>
/// <param name="Name">What the row is called in the tests and in docs/composition.md.</param>
/// <param name="Order">Words of <see cref="Layers"/>, outermost first.</param>
internal sealed record Row(string Name, string Order)
{
    public const int Callers = 100;

    /// <summary>The replies of the first call, the second and so on; the last goes for all that follow.</summary>
    public required Reply[] Upstream { get; init; }

    /// <summary>The moments to stop at, in order.</summary>
    public required Moment[] Moments { get; init; }

    /// <summary>How many calls the upstream gets in all.</summary>
    public required int Calls { get; init; }

    public required Share[] Shares { get; init; }

    /// <summary>How many flights start; <see langword="null"/> if that is not what the row is about.</summary>
    public int? Flights { get; init; }

    /// <summary>How many results are stored in the cache.</summary>
    public int? Stored { get; init; }

    /// <summary>How many different exception objects the callers get among them.</summary>
    public int? Exceptions { get; init; }

    public override string ToString() => Name;
}

/// <summary>
/// A moment in seconds. Before the clock moves there exactly so many timers must be due then, and everybody must be where the row
/// expects them; then so many callers come.
/// </summary>
internal sealed record Moment(double At, int Timers, int Arrive)
{
    /// <summary>How many callers must have joined a flight by then, over all flights.</summary>
    public int Joined { get; init; }

    /// <summary>How many timers must be set in all; <see langword="null"/> if those that are due then tell enough.</summary>
    public int? Set { get; init; }

    /// <summary>How many refreshes must have ended by then.</summary>
    public int Refreshed { get; init; }

    /// <summary>How many calls must have begun by then.</summary>
    public int Called { get; init; }

    /// <summary>Whether no call may be running any more by then.</summary>
    public bool Idle { get; init; }

    /// <summary>Whether there must be something in the cache by then.</summary>
    public bool Cached { get; init; }

    /// <summary>So many callers come.</summary>
    public static Moment Callers(double at, int count = Row.Callers) => new(at, 0, count);

    /// <summary>So many timers are due.</summary>
    public static Moment Tick(double at, int timers = 1, int joined = 0) => new(at, timers, 0) { Joined = joined };
}

/// <summary>So many of those who came at one time get the same outcome after the same wait.</summary>
/// <param name="Count">How many callers.</param>
/// <param name="Outcome">"#3" for the answer of the third call, or the name of an exception.</param>
/// <param name="Waited">Seconds on the clock.</param>
/// <param name="Arrived">When they came.</param>
internal sealed record Share(int Count, string Outcome, double Waited, double Arrived = 0)
{
    public static Share Of(string outcome, double waited, double arrived = 0, int count = Row.Callers) => new(count, outcome, waited, arrived);

    public override string ToString() =>
        FormattableString.Invariant($"{Count} × {Outcome} after {Waited} s") + (Arrived > 0 ? FormattableString.Invariant($" (came at {Arrived} s)") : "");
}
