namespace Polly.SingleFlight.AotSmoke;

/// <summary>Keys and result types, each of which is another generic instantiation for the native compiler.</summary>
internal static class Coalescing
{
    private readonly record struct TokenKey(string Business, int Region);

    public static async Task HundredCallersOfOneKey()
    {
        var group = new SingleFlightGroup();
        var pipeline = new ResiliencePipelineBuilder()
            .AddSingleFlight(new SingleFlightStrategyOptions { Group = group })
            .Build();
        Expect.Equal(1, await Coalesced(pipeline, group, Enumerable.Repeat<object>("token", 100)), "executions");
        Expect.Equal(0, group.ActiveFlights, "active flights afterwards");
    }

    public static async Task KeysOfEveryKind()
    {
        var group = new SingleFlightGroup();
        var pipeline = new ResiliencePipelineBuilder()
            .AddSingleFlight(new SingleFlightStrategyOptions { Group = group })
            .Build();
        var keys = Enumerable.Range(0, 25).SelectMany(static _ => new object[]
        {
            new string("token".AsSpan()),       // equal, not the same object
            ("token", 7),
            new TokenKey("token", 7),
            7,
        });
        Expect.Equal(4, await Coalesced(pipeline, group, keys), "executions");
    }

    public static async Task ResultTypesAreSeparate()
    {
        var pipeline = new ResiliencePipelineBuilder().AddSingleFlight().Build();
        var gate = Expect.Gate();
        var executions = 0;
        var number = Twice(() => pipeline.ExecuteSingleFlightAsync("key", Run(42)).AsTask());
        var text = Twice(() => pipeline.ExecuteSingleFlightAsync("key", Run("text")).AsTask());
        var item = Twice(() => pipeline.ExecuteSingleFlightAsync("key", Run<object>(4.5)).AsTask());
        var nothing = Twice(() => pipeline.ExecuteSingleFlightAsync(
            "key",
            async _ =>
            {
                executions++;
                await gate.Task;
            }).AsTask());
        var pair = Twice(() => pipeline.ExecuteSingleFlightAsync(
            "key",
            static async (state, _) =>
            {
                await state.Task;
                return (Left: 1, Right: "right");
            },
            gate).AsTask());
        gate.SetResult();

        await Task.WhenAll(nothing);
        Expect.Equal(4, executions, "executions");
        Expect.Equal((42, 42), ((await number[0]), (await number[1])), "int results");
        Expect.Equal(("text", "text"), ((await text[0]), (await text[1])), "string results");
        Expect.Equal((4.5, 4.5), (await item[0], await item[1]), "object results");
        Expect.Equal((1, "right"), await pair[1], "tuple result");

        Func<CancellationToken, ValueTask<T>> Run<T>(T result) => async _ =>
        {
            executions++;
            await gate.Task;
            return result;
        };
    }

    public static Task Synchronous()
    {
        var pipeline = new ResiliencePipelineBuilder().AddSingleFlight().Build();
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        context.SetSingleFlightKey(new TokenKey("token", 1));
        Expect.Equal(5, pipeline.Execute(static _ => 5, context), "result");
        Expect.Equal(SingleFlightRole.Leader, context.GetSingleFlightResult()!.Role, "role");
        ResilienceContextPool.Shared.Return(context);
        return Task.CompletedTask;
    }

    public static async Task NestedByTokenRunsAlone()
    {
        var pipeline = new ResiliencePipelineBuilder().AddSingleFlight().Build();
        var result = await pipeline.ExecuteSingleFlightAsync("key", async flightToken =>
        {
            Task<int> nested;
            using (ExecutionContext.SuppressFlow())
            {
                nested = Task.Run(() => pipeline.ExecuteSingleFlightAsync("key", static _ => new ValueTask<int>(5), flightToken).AsTask(), CancellationToken.None);
            }

            return await nested;
        });
        Expect.Equal(5, result, "result");
    }

    /// <summary>Executes under all the keys at once and returns how many executions there were.</summary>
    private static async Task<int> Coalesced(ResiliencePipeline pipeline, SingleFlightGroup group, IEnumerable<object> keys)
    {
        var gate = Expect.Gate();
        var executions = 0;
        var callers = keys.Select(key => (Key: key, Result: pipeline.ExecuteSingleFlightAsync(
            key,
            async _ =>
            {
                executions++;
                await gate.Task;
                return key.ToString();
            }).AsTask())).ToArray();
        Expect.Equal(callers.Length, group.GetFlights().Sum(static flight => flight.CallerCount), "callers waiting");
        gate.SetResult();
        foreach (var (key, result) in callers)
        {
            Expect.Equal(key.ToString(), await result, "result");
        }

        return executions;
    }

    private static T[] Twice<T>(Func<T> execute) => [execute(), execute()];
}
