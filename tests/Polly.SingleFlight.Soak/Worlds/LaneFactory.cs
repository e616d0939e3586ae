namespace Polly.SingleFlight.Soak;

/// <summary>Builds the pipelines of an arena.</summary>
internal static class LaneFactory
{
    /// <summary>A pipeline for every result type.</summary>
    public static void AddLane(this Arena arena, string name, Action<SingleFlightStrategyOptions>? configure = null)
    {
        var options = new SingleFlightStrategyOptions { Group = arena.Group };
        Prepare(arena, options, configure);
        var builder = new ResiliencePipelineBuilder();
        PrepareBuilder(arena, options, builder);
        ResultKind[] kinds = arena.HasEvents
            ? [ResultKind.Number, ResultKind.Receipt, ResultKind.Receipt, ResultKind.Text, ResultKind.Nothing]
            : [ResultKind.Number, ResultKind.Receipt];
        arena.Lanes.Add(new Lane(arena, name, builder.AddSingleFlight(options).Build(), kinds, options, rules: null));
    }

    /// <summary>A pipeline of one result type, with whatever depends on that.</summary>
    public static void AddLane<TResult>(
        this Arena arena, string name, ResultKind kind, Action<SingleFlightStrategyOptions<TResult>> configure)
    {
        var options = new SingleFlightStrategyOptions<TResult> { Group = arena.Group };
        Prepare(arena, options, configure);
        var builder = new ResiliencePipelineBuilder<TResult>();
        PrepareBuilder(arena, options, builder);
        object? rules = options is { ShouldShare: null, ResultCloner: null } ? null : (options.ShouldShare, options.UnsharedOutcome, options.ResultCloner);
        arena.Lanes.Add(new Lane(arena, name, builder.AddSingleFlight(options).Build(), [kind], options, rules));
    }

    private static void Prepare<TOptions>(Arena arena, TOptions options, Action<TOptions>? configure)
        where TOptions : SingleFlightStrategyOptions
    {
        if (arena.HasEvents)
        {
            new EventCallbacks(arena).AddTo(options);
        }

        configure?.Invoke(options);
    }

    private static void PrepareBuilder(Arena arena, SingleFlightStrategyOptions options, ResiliencePipelineBuilderBase builder)
    {
        // Flights on another clock are too old for those who care, which only some arenas reckon with.
        if (options.MaxJoinAge != System.Threading.Timeout.InfiniteTimeSpan || arena.Overtaken == Overtaken.WhoEnteredBefore)
        {
            builder.TimeProvider = arena.Clock;
        }

        if (arena is { HasEvents: true, Lanes.Count: 0 })
        {
            builder.TelemetryListener = new ContextListener(arena.World);
        }
    }
}
