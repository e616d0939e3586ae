using System.Collections.Concurrent;

namespace Polly.SingleFlight.Tests.Interception;

/// <summary>What a strategy outside has done inside the flight: whose interceptor works, when, and how often.</summary>
public sealed partial class FlightInterceptorTests : FlightTest
{
    private readonly ConcurrentQueue<string> _log = [];

    [Fact]
    public async Task Leader_ItsInterceptorWorksBeforeAndAfterTheCallback()
    {
        var result = await Run(Pipeline(), "key", Own(), _ => Task.FromResult(Note("callback")));

        Assert.Equal("callback", result);
        Assert.Equal(["own: before", "callback", "own: after callback"], _log);
    }

    [Theory]
    [InlineData("key")]
    [InlineData(null)]
    public async Task IsFor_IsAskedWithTheBuilderAndTheKey_AndNothingIsDoneIfItSaysNo(string? key)
    {
        var builder = new ResiliencePipelineBuilder<string>();
        var pipeline = builder.AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build();
        List<object?> seen = [];
        var interceptor = new RecordingInterceptor(this, _log)
        {
            Applies = (asking, flightKey) =>
            {
                seen.AddRange([asking, flightKey]);
                return false;
            },
        };

        Assert.Equal("callback", await Run(pipeline, key, interceptor, _ => Task.FromResult("callback")));

        Assert.Equal([builder, key], seen);
        Assert.Empty(_log);
    }

    [Fact]
    public async Task BeforeCallback_HasAnOutcome_TheCallbackIsNotCalledAndEveryCallerGetsIt()
    {
        var gate = new Gate();
        var pipeline = Pipeline();
        var interceptor = new RecordingInterceptor(this, _log)
        {
            Before = async _ =>
            {
                await gate.Opened;
                return "found";
            },
        };
        var leader = Run(pipeline, "key", interceptor, _ => Task.FromResult(Note("callback")));
        var follower = Run(pipeline, "key", null, _ => Task.FromResult(Note("callback")));
        await Probe.Reached(Joined, 1);
        gate.Open();

        Assert.Equal(["found", "found"], await Task.WhenAll(leader, follower));
        Assert.Equal(["own: before", "own: after found"], _log);
    }

    public static TheoryData<string, Func<Task<string>>> Endings => new()
    {
        { "result", static () => Task.FromResult("result") },
        { "result", static async () => await Later(() => "result") },
        { nameof(FormatException), static () => throw new FormatException() },
        { nameof(FormatException), static async () => await Later<string>(() => throw new FormatException()) },
        { nameof(OperationCanceledException), static () => throw new OperationCanceledException() },
        { nameof(OperationCanceledException), static async () => await Later<string>(() => throw new OperationCanceledException()) },
    };

    [Theory]
    [MemberData(nameof(Endings), DisableDiscoveryEnumeration = true)]
    public async Task AfterCallback_IsCalledOnceHoweverTheCallbackEnded(string ending, Func<Task<string>> callback)
    {
        foreach (var key in new[] { "key", null })
        {
            _log.Clear();
            await Record.ExceptionAsync(() => Run(Pipeline(), key, Own(), _ => callback()));

            Assert.Equal("own: after " + ending, Assert.Single(_log, static entry => entry.Contains("after", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task AfterCallback_IsCalledOnceForAFlightThatEverybodyLeft()
    {
        var gate = new Gate();
        var after = new Gate();
        var interceptor = new RecordingInterceptor(this, _log)
        {
            After = (_, _, _) =>
            {
                after.Open();
                return Task.CompletedTask;
            },
        };
        using var source = new CancellationTokenSource();
        var leader = Run(Pipeline(), "key", interceptor, async _ =>
        {
            await gate.Opened;
            return "late";
        }, source.Token);
        await Probe.Reached(Started, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        gate.Open();
        await after.Opened.Soon();

        Assert.Equal(["own: before", "own: after late"], _log);
    }

    [Fact]
    public async Task AfterCallback_IsHeld_NewcomersJoinTheFlight()
    {
        var gate = new Gate();
        var pipeline = Pipeline();
        var interceptor = new RecordingInterceptor(this, _log)
        {
            After = (_, _, _) =>
            {
                Probe.Hit("after");
                return gate.Opened;
            },
        };
        var leader = Run(pipeline, "key", interceptor, _ => Task.FromResult("first"));
        await Probe.Reached("after", 1);
        var newcomer = Run(pipeline, "key", null, _ => Task.FromResult("second"));
        await Probe.Reached(Joined, 1);
        Assert.False(leader.IsCompleted);
        gate.Open();

        Assert.Equal(["first", "first"], await Task.WhenAll(leader, newcomer));
    }

    [Fact]
    public async Task OnLanded_IsCalledOnceForEachThatWorked()
    {
        var gate = new Gate();
        var pipeline = Pipeline();
        var landed = new Probe();
        var leader = Run(pipeline, "key", Own("leader"), async _ =>
        {
            await gate.Opened;
            return "result";
        });
        var follower = Run(pipeline, "key", Own("follower"), _ => Task.FromResult("not called"));
        await Probe.Reached(Joined, 1);
        gate.Open();
        await Task.WhenAll(leader, follower);
        await Run(pipeline, null, Own("alone"), _ => Task.FromResult("result"));

        Assert.Equal((1, 1, 1), (landed["leader"], landed["follower"], landed["alone"]));

        RecordingInterceptor Own(string name) => new(name, _log, name) { Landed = () => landed.Hit(name) };
    }

    public static TheoryData<string> Members => new("IsFor", "OnFollowing", "BeforeCallbackAsync", "AfterCallbackAsync");

    [Theory]
    [MemberData(nameof(Members))]
    public async Task Member_Throws_FailsNoCaller(string member)
    {
        var gate = new Gate();
        var pipeline = Pipeline();
        var leader = Run(pipeline, "key", Throwing("leader"), async _ =>
        {
            await gate.Opened;
            return "result";
        });
        var follower = Run(pipeline, "key", Throwing("follower"), _ => Task.FromResult("not called"));
        await Probe.Reached(Joined, 1);
        gate.Open();

        Assert.Equal(["result", "result"], await Task.WhenAll(leader, follower));
        Assert.Equal("alone", await Run(pipeline, null, Throwing("alone"), _ => Task.FromResult("alone")));

        RecordingInterceptor Throwing(string identity) => new(identity, _log)
        {
            Applies = (_, _) => member == "IsFor" ? throw new FormatException() : true,
            Following = () => ThrowIf("OnFollowing"),
            Before = _ =>
            {
                ThrowIf("BeforeCallbackAsync");
                return Task.FromResult<object?>(null);
            },
            After = (_, _, _) =>
            {
                ThrowIf("AfterCallbackAsync");
                return Task.CompletedTask;
            },
        };

        void ThrowIf(string current)
        {
            if (current == member)
            {
                throw new FormatException();
            }
        }
    }

    [Fact]
    public async Task NestedFlight_WithTheSameContext_FindsNoInterceptor()
    {
        var inner = new ResiliencePipelineBuilder<string>().AddSingleFlight().Build();

        await Run(Pipeline(), "key", Own(), async context =>
        {
            Assert.Null(context.GetFlightInterceptor());
            return await inner.ExecuteAsync(static _ => new ValueTask<string>("inner"), context);
        });

        Assert.Equal(["own: before", "own: after inner"], _log);
    }

    [Fact]
    public async Task FindFlightInterceptor_FindsThatOfTheFlight()
    {
        var gate = new Gate();
        var pipeline = Pipeline();
        var interceptor = new RecordingInterceptor("identity", _log);
        var leader = Run(pipeline, "key", interceptor, async _ =>
        {
            await gate.Opened;
            return "result";
        });
        var found = (Same: default(FlightInterceptor), Other: default(FlightInterceptor));
        var follower = Run(
            pipeline,
            "key",
            new RecordingInterceptor("identity", _log),
            _ => Task.FromResult("not called"),
            after: context => found = (context.FindFlightInterceptor("identity"), context.FindFlightInterceptor("another")));
        await Probe.Reached(Joined, 1);
        gate.Open();
        await Task.WhenAll(leader, follower);

        Assert.Same(interceptor, found.Same);
        Assert.Null(found.Other);
    }

    [Fact]
    public async Task ClearSingleFlightResult_TakesTheResultOff()
    {
        SingleFlightResult? before = null, after = null;
        await Run(Pipeline(), "key", null, _ => Task.FromResult("result"), after: context =>
        {
            before = context.GetSingleFlightResult();
            context.ClearSingleFlightResult();
            after = context.GetSingleFlightResult();
        });

        Assert.Equal(SingleFlightRole.Leader, before?.Role);
        Assert.Null(after);
    }

    private static async Task<T> Later<T>(Func<T> end)
    {
        await Task.Yield();
        return end();
    }

    private string Note(string entry)
    {
        _log.Enqueue(entry);
        return entry;
    }

    private RecordingInterceptor Own() => new(this, _log);

    private ResiliencePipeline<string> Pipeline(SingleFlightStrategyOptions<string>? options = null) =>
        Build(Watched(options ?? new SingleFlightStrategyOptions<string>()));

    private static Task<string> Run(
        ResiliencePipeline<string> pipeline,
        string? key,
        FlightInterceptor? interceptor,
        Func<ResilienceContext, Task<string>> callback,
        CancellationToken token = default,
        Action<ResilienceContext>? after = null) =>
        InterceptedCall.Run(pipeline, key, interceptor, callback, token, after);
}
