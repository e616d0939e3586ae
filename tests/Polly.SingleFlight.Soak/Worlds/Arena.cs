using Microsoft.Extensions.Time.Testing;

namespace Polly.SingleFlight.Soak;

/// <summary>A group with the pipelines that share it, and what may happen there.</summary>
internal sealed class Arena
{
    private readonly object[] _keys;

    public Arena(World world, string name, Hazards hazards, Overtaken overtaken, int keys)
    {
        World = world;
        Name = name;
        Hazards = hazards;
        Overtaken = overtaken;
        Keys = new KeyState[keys];
        _keys = new object[keys];
        for (var i = 0; i < keys; i++)
        {
            Keys[i] = new KeyState();
            _keys[i] = (name, i);
        }
    }

    public World World { get; }

    public string Name { get; }

    public Hazards Hazards { get; }

    public Overtaken Overtaken { get; }

    /// <summary>Whether the pipelines report events, so that the oracle knows flight numbers.</summary>
    public bool HasEvents { get; init; } = true;

    public SingleFlightGroup Group { get; } = new();

    public FakeTimeProvider Clock { get; } = new();

    public KeyState[] Keys { get; }

    public List<Lane> Lanes { get; } = [];

    /// <summary>How many flights of one key and result type there may be: callers of lanes whose rules differ do not meet.</summary>
    public int RulesCount => Lanes.Select(static lane => lane.Rules).Distinct().Count();

    /// <summary>Whether every flight here is handed over when its leader leaves.</summary>
    public bool HandsOver => Lanes.TrueForAll(static lane => lane.HandsOver);

    public long ShortestJoinAge => Lanes.Min(static lane => lane.MaxJoinAge);

    public bool Allows(Hazards hazard) => (Hazards & hazard) != 0;

    /// <summary>An equal key, and now and then another instance.</summary>
    public object KeyOf(int index, bool fresh) => fresh ? (Name, index) : _keys[index];

    public override string ToString() => Name;
}

/// <summary>One pipeline of an arena.</summary>
/// <param name="arena">The arena.</param>
/// <param name="name">The name in reports.</param>
/// <param name="pipeline">A <see cref="ResiliencePipeline"/>, or one of the only kind there is.</param>
/// <param name="kinds">The kinds of results that it is asked for.</param>
/// <param name="options">The options.</param>
/// <param name="rules">What of the options says who receives what; null if nothing does.</param>
internal sealed class Lane(Arena arena, string name, object pipeline, ResultKind[] kinds, SingleFlightStrategyOptions options, object? rules)
{
    public Arena Arena { get; } = arena;

    /// <summary>A <see cref="ResiliencePipeline"/>, or one of the only kind there is.</summary>
    public object Pipeline { get; } = pipeline;

    public ResultKind[] Kinds { get; } = kinds;

    public object? Rules { get; } = rules;

    /// <summary>In ticks of the arena's clock; <see cref="long.MaxValue"/> for none.</summary>
    public long MaxJoinAge { get; } =
        options.MaxJoinAge == System.Threading.Timeout.InfiniteTimeSpan ? long.MaxValue : options.MaxJoinAge.Ticks;

    public bool HandsOver { get; } = options.LeaderDeparture == LeaderDeparture.HandOver;

    public bool CancelsWhenAbandoned { get; } = options.CancelWhenAbandoned;

    public override string ToString() => $"{Arena}/{name}";
}
