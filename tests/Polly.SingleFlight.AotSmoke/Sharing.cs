namespace Polly.SingleFlight.AotSmoke;

/// <summary>The typed builder: who gets which result.</summary>
internal static class Sharing
{
    private sealed class Lease(string name) : IDisposable
    {
        public string Name { get; } = name;

        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    public static async Task DisposableResultsAreCloned()
    {
        var copies = 0;
        var pipeline = new ResiliencePipelineBuilder<Lease>()
            .AddSingleFlight(new SingleFlightStrategyOptions<Lease>
            {
                ShouldShare = static args => new(args.Outcome.Result is not null),
                ResultCloner = args => new(new Lease($"{args.Result.Name} {Interlocked.Increment(ref copies)}")),
            })
            .Build();
        var gate = Expect.Gate();
        var executions = 0;
        var leases = await Execute(10, gate, () => pipeline.ExecuteSingleFlightAsync("lease", async _ =>
        {
            executions++;
            await gate.Task;
            return new Lease("lease");
        }));

        Expect.Equal(1, executions, "executions");
        Expect.Equal(9, copies, "copies");
        Expect.Equal(10, leases.Distinct().Count(), "different leases");
        leases[0].Dispose();
        Expect.Equal(1, leases.Count(static lease => lease.IsDisposed), "disposed leases");
    }

    public static async Task UnsharedOutcomesStayWithTheLeader()
    {
        var pipeline = new ResiliencePipelineBuilder<int>()
            .AddSingleFlight(new SingleFlightStrategyOptions<int>
            {
                ShouldShare = static args => new(args.Outcome.Result > 1),
                UnsharedOutcome = UnsharedOutcome.ExecuteIndividually,
            })
            .Build();
        var gate = Expect.Gate();
        var executions = 0;
        var results = await Execute(3, gate, () => pipeline.ExecuteSingleFlightAsync("number", async _ =>
        {
            var result = Interlocked.Increment(ref executions);
            await gate.Task;
            return result;
        }));

        Expect.Equal("1 2 3", string.Join(' ', results.Order()), "results");
    }

    public static Task DisposableResultWithoutClonerIsRefused()
    {
        var builder = new ResiliencePipelineBuilder<Lease>().AddSingleFlight();
        var refusal = Expect.Throws<InvalidOperationException>(() => builder.Build());
        Expect.Contains("ResultCloner", refusal.Message);
        return Task.CompletedTask;
    }

    private static Task<T[]> Execute<T>(int callers, TaskCompletionSource gate, Func<ValueTask<T>> execute)
    {
        var results = Enumerable.Range(0, callers).Select(_ => execute().AsTask()).ToArray();
        gate.SetResult();
        return Task.WhenAll(results);
    }
}
