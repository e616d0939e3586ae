using System.Collections.Concurrent;

namespace Polly.SingleFlight.Tests.Interception;

/// <summary>What an interceptor learns of the flight that it works for.</summary>
public sealed class InterceptedFlightTests : FlightTest
{
    private readonly ConcurrentQueue<string> _log = [];
    private readonly Gate _gate = new();
    private InterceptedFlight? _flight;
    private bool _heldKeyAfterTheCallback;

    public static TheoryData<string> WaysToLoseTheKey => new("Forget", "ForgetAll", "Cancel", "MaxJoinAge", "hand-over", "abandoned", "its own Forget");

    [Theory]
    [MemberData(nameof(WaysToLoseTheKey))]
    public async Task HoldsKey_OnceLost_IsLostForGood(string way)
    {
        var options = new SingleFlightStrategyOptions<string> { MaxJoinAge = TimeSpan.FromSeconds(8) };
        if (way == "hand-over")
        {
            options.LeaderDeparture = LeaderDeparture.HandOver;
        }

        var pipeline = Build(Watched(options));
        using var source = new CancellationTokenSource();
        var leader = Lead(pipeline, source.Token);
        await Probe.Reached(Started, 1);
        await Probe.Reached("before", 1);
        Assert.True(_flight!.HoldsKey);
        List<Task> callers = [leader];
        switch (way)
        {
            case "Forget":
                Group.Forget("key");
                break;
            case "ForgetAll":
                Group.ForgetAll();
                break;
            case "its own Forget":
                _flight.Forget();
                break;
            case "Cancel":
                Group.Cancel("key");
                break;
            case "MaxJoinAge":
                Clock.Advance(TimeSpan.FromSeconds(9));
                callers.Add(InterceptedCall.Run(pipeline, "key", null, _ => Task.FromResult("newer")));
                break;
            case "hand-over":
                callers.Add(InterceptedCall.Run(pipeline, "key", null, _ => Task.FromResult("successor's")));
                await Probe.Reached(Joined, 1);
                await source.CancelAsync();
                break;
            default:
                await source.CancelAsync();
                break;
        }

        // In the air, also while a newer flight has the key, and when it has landed.
        await Task.WhenAll(callers.Skip(1));
        Assert.False(_flight.HoldsKey);
        var newest = InterceptedCall.Run(pipeline, "key", null, _ => Task.FromResult("newest"));
        Assert.Equal("newest", await newest);
        Assert.False(_flight.HoldsKey);
        _gate.Open();
        await Probe.Reached("after", 1);
        await Record.ExceptionAsync(() => leader);

        Assert.False(_heldKeyAfterTheCallback);
        Assert.False(_flight.HoldsKey);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HoldsKey_OfAFlightThatLands_StaysTrue(bool leaderLeaves)
    {
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<string>()));
        using var source = new CancellationTokenSource();
        var leader = Lead(pipeline, source.Token);
        await Probe.Reached(Started, 1);
        var follower = InterceptedCall.Run(pipeline, "key", null, _ => Task.FromResult("not called"));
        await Probe.Reached(Joined, 1);
        if (leaderLeaves)
        {
            await source.CancelAsync();
            await IsCanceledBy(leader, source.Token);
        }

        _gate.Open();
        Assert.Equal("result", await follower);

        Assert.True(_heldKeyAfterTheCallback);
        Assert.True(_flight!.HoldsKey);
        Assert.NotEqual(0, _flight.Id);
        Assert.Equal("newest", await InterceptedCall.Run(pipeline, "key", null, _ => Task.FromResult("newest")));
        Assert.True(_flight.HoldsKey);
        await Record.ExceptionAsync(() => leader);
    }

    [Fact]
    public async Task HoldsKey_OfACallerWithoutKey_IsTrue()
    {
        _gate.Open();
        await InterceptedCall.Run(Build(Watched(new SingleFlightStrategyOptions<string>())), null, Watching(), Result);

        Assert.True(_heldKeyAfterTheCallback);
        Assert.Equal(0, _flight!.Id);
        _flight.Forget();
        Assert.True(_flight.HoldsKey);
    }

    [Fact]
    public async Task HoldsKey_OfACallerThatRunsAloneBecauseItIsInsideItsOwnFlight_IsFalse()
    {
        _gate.Open();
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<string>()));
        await InterceptedCall.Run(pipeline, "key", null, async _ => await InterceptedCall.Run(pipeline, "key", Watching(), Result));

        Assert.Equal([BypassReason.Reentrancy], Reasons);
        Assert.False(_heldKeyAfterTheCallback);
    }

    /// <summary>By the interceptor, and by the distribution to the followers afterwards.</summary>
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public async Task IsShared_IsAskedOnceForAFlight(bool isAskedByTheInterceptor, bool isShared)
    {
        var asked = 0;
        List<bool> answers = [];
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<string>
        {
            ShouldShare = args =>
            {
                if (args.Outcome.Result == "result")
                {
                    Interlocked.Increment(ref asked);
                }

                return new(isShared);
            },
        }));
        var interceptor = new RecordingInterceptor(this, _log)
        {
            After = async (flight, context, outcome) =>
            {
                for (var i = 0; isAskedByTheInterceptor && i < 2; i++)
                {
                    answers.Add(await flight.IsSharedAsync(context, Outcome.FromResult((string)outcome!)));
                }
            },
        };
        var leader = InterceptedCall.Run(pipeline, "key", interceptor, Result);
        await Probe.Reached(Started, 1);
        var follower = InterceptedCall.Run(pipeline, "key", null, _ => Task.FromResult("follower's"));
        await Probe.Reached(Joined, 1);
        _gate.Open();

        Assert.Equal(["result", isShared ? "result" : "follower's"], await Task.WhenAll(leader, follower));
        Assert.Equal(1, asked);
        Assert.Equal(isAskedByTheInterceptor ? [isShared, isShared] : [], answers);
    }

    [Fact]
    public async Task IsShared_WithoutPredicate_IsTrue()
    {
        _gate.Open();
        bool? answer = null;
        var interceptor = new RecordingInterceptor(this, _log)
        {
            After = async (flight, context, outcome) => answer = await flight.IsSharedAsync(context, Outcome.FromResult((string)outcome!)),
        };
        await InterceptedCall.Run(Build(Watched(new SingleFlightStrategyOptions<string>())), "key", interceptor, Result);

        Assert.True(answer);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GetCopier_IsTheCloner(bool hasCloner)
    {
        _gate.Open();
        string? copy = null;
        var interceptor = new RecordingInterceptor(this, _log)
        {
            After = async (flight, context, outcome) =>
                copy = flight.GetCopier<string>() is { } copier ? await copier(context, (string)outcome!) : null,
        };
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<string>
        {
            ResultCloner = hasCloner ? static args => new($"copy of {args.Result}") : null,
        }));

        Assert.Equal("result", await InterceptedCall.Run(pipeline, "key", interceptor, Result));
        Assert.Equal(hasCloner ? "copy of result" : null, copy);
    }

    private Task<string> Lead(ResiliencePipeline<string> pipeline, CancellationToken token) => InterceptedCall.Run(pipeline, "key", Watching(), Result, token);

    private async Task<string> Result(ResilienceContext context)
    {
        await _gate.Opened;
        return "result";
    }

    private RecordingInterceptor Watching() => new(this, _log)
    {
        Before = flight =>
        {
            _flight = flight;
            Probe.Hit("before");
            return Task.FromResult<object?>(null);
        },
        After = (flight, _, _) =>
        {
            _flight = flight;
            _heldKeyAfterTheCallback = flight.HoldsKey;
            Probe.Hit("after");
            return Task.CompletedTask;
        },
    };
}
