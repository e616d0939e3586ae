namespace Polly.SingleFlight.Soak;

internal enum Api
{
    Outcome,
    Throwing,
    Sync,
}

/// <summary>What becomes of a caller's own token.</summary>
internal enum OwnToken
{
    None,

    /// <summary>Nobody cancels it, and its source is used again and again.</summary>
    Reused,

    /// <summary>Whoever finds it on the board cancels it, maybe before the call or long after.</summary>
    OnBoard,
    CanceledOnEntry,

    /// <summary>The callback cancels it in its synchronous part.</summary>
    CanceledByCallback,

    /// <summary>Canceled elsewhere in the same instant as the callback ends.</summary>
    CanceledAtEnd,
    Timed,
}

/// <summary>Everything about a call that is drawn before it is made.</summary>
internal readonly record struct CallPlan
{
    private const int NestingLimit = 2;

    public Api Api { get; private init; }

    public OwnToken OwnToken { get; private init; }

    public Fault Fault { get; private init; }

    /// <summary>How often the callback yields; zero for one that completes synchronously.</summary>
    public int Yields { get; private init; }

    /// <summary>How often the callback calls again.</summary>
    public int NestedCalls { get; private init; }

    public bool IgnoresCancellation { get; private init; }

    public bool Registers { get; private init; }

    public bool UsesAmbient { get; private init; }

    public bool IsKeyless { get; private init; }

    public bool HasFreshKey { get; private init; }

    /// <summary>Whether the callback waits until it is cancelled.</summary>
    public bool Waits { get; private init; }

    public bool StrikesAtEnd { get; private init; }

    public bool ContinuesOnContext { get; private init; }

    public static CallPlan Draw(ref Rng rng, Arena arena, int depth)
    {
        var patient = arena.Allows(Hazards.Patience);
        return new CallPlan
        {
            Api = patient ? Api.Outcome : DrawApi(ref rng, arena, depth),
            OwnToken = patient ? OwnToken.Timed : arena.Allows(Hazards.Cancellation) ? DrawToken(ref rng, depth) : OwnToken.None,
            Fault = DrawFault(ref rng, arena),
            Yields = DrawYields(ref rng),
            NestedCalls = depth < NestingLimit && arena.Allows(Hazards.Nested) && rng.PerMille(150) ? 1 + rng.Below(2) : 0,
            IgnoresCancellation = rng.PerMille(300),
            Registers = rng.PerMille(60),
            UsesAmbient = rng.PerMille(100),
            IsKeyless = rng.PerMille(5),
            HasFreshKey = rng.PerMille(100),
            Waits = patient && (arena.Overtaken == Overtaken.Nobody || rng.PerMille(500)),
            StrikesAtEnd = rng.PerMille(60),
            ContinuesOnContext = rng.PerMille(200),
        };
    }

    /// <summary>Blocking is expensive, but inside callbacks it is where waits and departures meet.</summary>
    private static Api DrawApi(ref Rng rng, Arena arena, int depth)
    {
        var draw = rng.Below(1000);
        return draw < (depth > 0 ? 100 : 20) && arena.Allows(Hazards.Sync) ? Api.Sync : draw >= 980 ? Api.Throwing : Api.Outcome;
    }

    private static OwnToken DrawToken(ref Rng rng, int depth) => rng.Below(1000) switch
    {
        < 100 when depth > 0 => OwnToken.CanceledByCallback,
        < 450 => OwnToken.None,
        < 640 => OwnToken.Reused,
        < 850 => OwnToken.OnBoard,
        < 870 => OwnToken.CanceledOnEntry,
        < 910 => OwnToken.CanceledByCallback,
        < 990 => OwnToken.CanceledAtEnd,
        _ => OwnToken.Timed,
    };

    private static Fault DrawFault(ref Rng rng, Arena arena)
    {
        var draw = rng.Below(1000);
        return draw switch
        {
            < 15 when arena.Allows(Hazards.Faults) => Fault.Thrown,
            < 60 when arena.Allows(Hazards.Faults) => Fault.Returned,
            >= 60 and < 100 when arena.Allows(Hazards.InnerCancellation) => Fault.InnerCancellation,
            >= 100 and < 400 when arena.Allows(Hazards.LeaderToken) => Fault.LeaderToken,
            _ => Fault.None,
        };
    }

    private static int DrawYields(ref Rng rng) => rng.Below(100) switch
    {
        < 35 => 0,
        < 80 => 1 + rng.Below(3),
        _ => 4 + rng.Below(12),
    };
}
