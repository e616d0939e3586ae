namespace Polly.SingleFlight.Soak;

/// <summary>One execution of a pipeline by one caller, who is also the tenant its context tells of.</summary>
internal sealed class Call
{
    public static readonly ResiliencePropertyKey<Call?> Property = new("Soak.Call");
    public static readonly ResiliencePropertyKey<Execution?> Written = new("Soak.Written");
    public static readonly AsyncLocal<Call?> Ambient = new();

    private static readonly string[] s_operations = ["read", "list", "refresh"];

    private int _callbacks;
    private volatile bool _hasReturned;

    public Call(Worker worker, Lane lane, CallPlan plan, ref Rng rng, int depth)
    {
        Worker = worker;
        Lane = lane;
        Plan = plan;
        Depth = depth;
        Kind = lane.Kinds[rng.Below(lane.Kinds.Length)];
        KeyIndex = rng.Below(lane.Arena.Keys.Length);
        Key = plan.IsKeyless ? "" : lane.Arena.KeyOf(KeyIndex, plan.HasFreshKey);
        Random = new Rng(rng.Next());
    }

    public Worker Worker { get; }

    public World World => Lane.Arena.World;

    public Lane Lane { get; }

    public Arena Arena => Lane.Arena;

    public CallPlan Plan { get; }

    public int Depth { get; }

    public ResultKind Kind { get; }

    public int KeyIndex { get; }

    public object Key { get; }

    public KeyState KeyState => Arena.Keys[KeyIndex];

    public string Operation => s_operations[KeyIndex % s_operations.Length];

    /// <summary>For the callback, which runs at most once.</summary>
    public Rng Random;

    public CancellationTokenSource? Source { get; set; }

    public int Slot { get; set; } = -1;

    public CancellationToken Token { get; set; }

    public ResilienceContext Context { get; set; } = null!;

    public long Entered { get; set; }

    public long EnteredClock { get; set; }

    /// <summary>What started before this moment was forgotten before the call was made.</summary>
    public long Forgotten { get; set; }

    /// <summary>The flight the caller was told it leads.</summary>
    public long StartedFlight { get; set; }

    /// <summary>The flight the caller was told it joined.</summary>
    public long JoinedFlight { get; set; }

    /// <summary>The run of the call's own callback.</summary>
    public Execution? Own { get; set; }

    public bool HasReturned
    {
        get => _hasReturned;
        set => _hasReturned = value;
    }

    public int CountCallback() => Interlocked.Increment(ref _callbacks);

    public override string ToString() =>
        $"{Lane} key {KeyIndex} {Kind} {Plan.Api} token {Plan.OwnToken} fault {Plan.Fault} yields {Plan.Yields} depth {Depth} entered {Entered}" +
        $"{(Token.IsCancellationRequested ? " canceled" : "")} started {StartedFlight} joined {JoinedFlight}";
}
