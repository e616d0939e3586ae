namespace Polly.SingleFlight.Tests;

/// <summary>S1: which executions are the same.</summary>
public sealed class KeyTests : FlightTest
{
    public static TheoryData<object> EqualKeys => new() { "text", 42, ("tenant", 7), new Key("a", 1), Guid.Parse("11111111-1111-1111-1111-111111111111") };

    [Theory]
    [MemberData(nameof(EqualKeys))]
    public async Task Execute_EqualKeys_Coalesce(object key)
    {
        var gate = new Gate();
        var pipeline = Build();
        var copy = key switch
        {
            string text => new string(text.AsSpan()),
            Key record => record with { },
            (string tenant, int id) => (new string(tenant.AsSpan()), id),
            _ => key,
        };
        var leader = Call(pipeline, key, Hold);
        var follower = Call(pipeline, copy, Hold);
        await Probe.Reached(Joined, 1);
        gate.Open();

        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(leader, follower));

        async Task<int> Hold(ResilienceContext context)
        {
            await gate.Opened;
            return 1;
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task Execute_NullOrEmptyKey_Bypasses(string? key)
    {
        var pipeline = Build();
        SingleFlightResult? result = null;

        await Call(pipeline, key!, _ => Task.FromResult(1), after: context => result = context.GetSingleFlightResult());

        Assert.Equal([BypassReason.NoKey], Reasons);
        Assert.Equal((SingleFlightRole.Bypassed, 1, 0L, TimeSpan.Zero), (result!.Role, result.CallerCount, result.FlightId, result.WaitTime));
    }

    [Fact]
    public async Task Execute_OperationKeyOnly_IsNotAKey()
    {
        var pipeline = Build();
        var context = ResilienceContextPool.Shared.Get("operation", TestContext.Current.CancellationToken);

        await pipeline.ExecuteAsync(_ => default, context);

        Assert.Equal([BypassReason.NoKey], Reasons);
        ResilienceContextPool.Shared.Return(context);
    }

    [Fact]
    public async Task Execute_DifferentResultTypesUnderOneKey_AreSeparateFlights()
    {
        var gate = new Gate();
        var pipeline = Build();
        var number = Call(pipeline, "key", _ => Hold(1));
        var text = Call(pipeline, "key", _ => Hold("a"));
        var thing = Call(pipeline, "key", _ => Hold<object>(2.0));
        var nothing = pipeline.ExecuteSingleFlightAsync("key", async _ => await gate.Opened, CancellationToken.None).AsTask();
        await Probe.Reached(Started, 4);

        Assert.Equal(
            [typeof(int), typeof(object), typeof(string), typeof(void)],
            Group.GetFlights().Select(flight => flight.ResultType).OrderBy(type => type.Name).ToArray());
        gate.Open();

        Assert.Equal((1, "a", 2.0), (await number, await text, await thing));
        await nothing;

        async Task<T> Hold<T>(T value)
        {
            await gate.Opened;
            return value;
        }
    }

    [Fact]
    public async Task Execute_DifferentStateTypes_AreOneFlight()
    {
        var gate = new Gate();
        var pipeline = Build();
        var first = pipeline.ExecuteSingleFlightAsync("key", async (int state, CancellationToken _) =>
        {
            await gate.Opened;
            return state.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }, 1, CancellationToken.None).AsTask();
        var second = pipeline.ExecuteSingleFlightAsync("key", (string state, CancellationToken _) => new ValueTask<string>(state), "2", CancellationToken.None).AsTask();
        await Probe.Reached(Joined, 1);
        gate.Open();

        Assert.Equal(["1", "1"], await Task.WhenAll(first, second));
    }

    [Fact]
    public async Task KeyGenerator_Throws_FailsThatCallerOnly()
    {
        var options = Watched();
        var first = true;
        options.KeyGenerator = _ =>
        {
            if (first)
            {
                first = false;
                throw new FormatException("no key");
            }

            return new("key");
        };
        var pipeline = Build(options);

        var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
        var outcome = await pipeline.ExecuteOutcomeAsync((_, _) => Outcome.FromResultAsValueTask(1), context, 0);
        Assert.IsType<FormatException>(outcome.Exception);
        ResilienceContextPool.Shared.Return(context);
        Assert.Equal(2, await Call(pipeline, "ignored", _ => Task.FromResult(2)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task KeyGenerator_TokenFiresMeanwhile_NeitherStartsNorJoins(bool asynchronously)
    {
        using var source = new CancellationTokenSource();
        var options = Watched();
        options.KeyGenerator = async _ =>
        {
            if (asynchronously)
            {
                await Task.Yield();
            }

            source.Cancel();
            return "key";
        };

        await IsCanceledBy(Call(Build(options), "ignored", _ => Task.FromResult(1), source.Token), source.Token);

        Assert.Equal(0, Probe[Started] + Probe[Joined] + Probe[Bypassed]);
    }

    [Fact]
    public async Task KeyGenerator_Asynchronous_CoalescesAndFailsAsOutcome()
    {
        var gate = new Gate();
        var fail = false;
        var options = Watched();
        options.KeyGenerator = async args =>
        {
            await Task.Yield();
            return fail ? throw new FormatException() : args.Context.GetSingleFlightKey();
        };
        var pipeline = Build(options);
        var callers = Enumerable.Range(0, 3).Select(_ => Call(pipeline, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        })).ToArray();
        await Probe.Reached(Joined, 2);
        gate.Open();
        Assert.Equal(new[] { 1, 1, 1 }, await Task.WhenAll(callers));

        fail = true;
        var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
        var outcome = await pipeline.ExecuteOutcomeAsync((_, _) => Outcome.FromResultAsValueTask(1), context, 0);
        Assert.IsType<FormatException>(outcome.Exception);
        ResilienceContextPool.Shared.Return(context);
    }

    [Fact]
    public async Task ExecuteSingleFlight_NullArguments_Throw()
    {
        var pipeline = Build();
        var typed = Build(new SingleFlightStrategyOptions<int>());

        await Assert.ThrowsAsync<ArgumentNullException>("key", () => pipeline.ExecuteSingleFlightAsync(null!, _ => new ValueTask<int>(1), default).AsTask());
        await Assert.ThrowsAsync<ArgumentNullException>("callback", () => pipeline.ExecuteSingleFlightAsync("k", (Func<CancellationToken, ValueTask>)null!, default).AsTask());
        await Assert.ThrowsAsync<ArgumentNullException>("pipeline", () => default(ResiliencePipeline)!.ExecuteSingleFlightAsync("k", _ => new ValueTask<int>(1), default).AsTask());
        await Assert.ThrowsAsync<ArgumentNullException>("key", () => typed.ExecuteSingleFlightAsync<int, int>(null!, _ => new(1), default).AsTask());
        await Assert.ThrowsAsync<ArgumentNullException>("key", () => typed.ExecuteSingleFlightAsync<int, int, int>(null!, (_, _) => new(1), 0, default).AsTask());
        Assert.Throws<ArgumentNullException>("context", () => default(ResilienceContext)!.SetSingleFlightKey("k"));
        Assert.Throws<ArgumentNullException>("context", () => default(ResilienceContext)!.GetSingleFlightKey());
        Assert.Throws<ArgumentNullException>("context", () => default(ResilienceContext)!.GetSingleFlightResult());
    }

    [Fact]
    public async Task ExecuteSingleFlight_TypedPipeline_CoalescesDerivedResults()
    {
        var gate = new Gate();
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<object>()));
        var callers = Enumerable.Range(0, 3).Select(i => pipeline.ExecuteSingleFlightAsync<object, string>("key", async _ =>
        {
            await gate.Opened;
            return "value";
        }).AsTask()).ToArray();
        await Probe.Reached(Joined, 2);
        gate.Open();

        Assert.Equal(["value", "value", "value"], await Task.WhenAll(callers));
        Assert.Equal(5, await pipeline.ExecuteSingleFlightAsync<object, object, int>("key", (state, _) => new((object)state), 5));
    }

    public sealed record Key(string Name, int Id);
}
