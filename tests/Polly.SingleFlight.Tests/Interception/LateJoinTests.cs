using System.Diagnostics;

namespace Polly.SingleFlight.Tests.Interception;

/// <summary>A strategy inside keeps the outcome of a flight from callers that joined after somebody else could hold it.</summary>
public sealed class LateJoinTests : FlightTest
{
    private readonly Gate _gate = new();
    private ResilienceContext? _inside;
    private int _calls;

    /// <summary>How many join in time, how many too late, and which of all leaves before the flight lands; none is -1.</summary>
    public static TheoryData<int, int, int> Rings
    {
        get
        {
            var data = new TheoryData<int, int, int>();
            for (var early = 0; early <= 3; early++)
            {
                for (var late = 0; late <= 3; late++)
                {
                    for (var leaver = -1; leaver < early + late; leaver++)
                    {
                        data.Add(early, late, leaver);
                    }
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Rings))]
    public async Task ExcludeJoinedAfter_ThoseWhoJoinedLaterElectOneOfThem(int early, int late, int leaver)
    {
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<string>()));
        var leader = Lead(pipeline);
        var sources = Enumerable.Range(0, early + late).Select(_ => new CancellationTokenSource()).ToArray();
        var callers = new Task<string>[early + late];
        var time = Stopwatch.GetTimestamp();
        for (var i = 0; i < callers.Length; i++)
        {
            if (i == early)
            {
                time = Stopwatch.GetTimestamp();
            }

            callers[i] = Join(pipeline, sources[i].Token);
        }

        if (early == callers.Length)
        {
            time = Stopwatch.GetTimestamp();
        }

        if (leaver >= 0)
        {
            await sources[leaver].CancelAsync();
            await IsCanceledBy(callers[leaver], sources[leaver].Token);
        }

        _inside!.ExcludeJoinedAfter(time);
        _gate.Open();

        Assert.Equal("1", await leader);
        for (var i = 0; i < callers.Length; i++)
        {
            if (i != leaver)
            {
                Assert.Equal(i < early ? "1" : "2", await callers[i]);
            }
        }

        var remaining = late - (leaver >= early ? 1 : 0);
        Assert.Equal(remaining > 0 ? 2 : 1, _calls);
        Array.ForEach(sources, static source => source.Dispose());
    }

    [Fact]
    public async Task ExcludeJoinedAfter_ANewcomerMeanwhile_JoinsTheSuccessor()
    {
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<string>()));
        var (late, second) = await LandWithALateCallerAsync(pipeline);

        var newcomer = Join(pipeline, default);
        await Probe.Reached(Joined, 2);
        second.Open();
        Assert.Equal(("2", "2"), (await late, await newcomer));
    }

    [Fact]
    public async Task ExcludeJoinedAfter_WithCopies_ThoseWhoJoinedLaterGetNone()
    {
        var copies = 0;
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<string>
        {
            ResultCloner = args =>
            {
                Interlocked.Increment(ref copies);
                return new($"copy of {args.Result}");
            },
        }));
        var leader = Lead(pipeline);
        var early = Join(pipeline, default);
        var time = Stopwatch.GetTimestamp();
        var late = Join(pipeline, default);
        _inside!.ExcludeJoinedAfter(time);
        _gate.Open();

        Assert.Equal(("1", "copy of 1", "2"), (await leader, await early, await late));
        Assert.Equal(1, copies);
    }

    [Fact]
    public async Task ExcludeJoinedAfter_AFailure_IsKeptFromThemAsWell()
    {
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<string>()));
        var leader = InterceptedCall.Run(pipeline, "key", null, async context =>
        {
            _inside = context;
            _inside.NoteJoins();
            await _gate.Opened;
            throw new InvalidOperationException("failed");
        });
        var early = Join(pipeline, default);
        var time = Stopwatch.GetTimestamp();
        var late = Join(pipeline, default);
        _inside!.ExcludeJoinedAfter(time);
        _gate.Open();

        await Assert.ThrowsAsync<InvalidOperationException>(() => leader);
        await Assert.ThrowsAsync<InvalidOperationException>(() => early);
        Assert.Equal("1", await late);
    }

    [Fact]
    public async Task ExcludeJoinedAfter_TheFlightIsForgotten_SuccessorDoesNotTakeTheKey()
    {
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<string>()));
        var (late, second) = await LandWithALateCallerAsync(pipeline, isForgotten: true);

        Assert.Equal(0, Group.ActiveFlights);
        second.Open();
        Assert.Equal("2", await late);
    }

    [Fact]
    public async Task NoteJoins_CallersFromBefore_GetTheOutcome()
    {
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<string>()));
        var begin = new Gate();
        var noted = new Gate();
        var leader = InterceptedCall.Run(pipeline, "key", null, async context =>
        {
            await begin.Opened;
            _inside = context;
            _inside.NoteJoins();
            noted.Open();
            await _gate.Opened;
            return "1";
        });
        var early = Join(pipeline, default);
        await Probe.Reached(Joined, 1);
        begin.Open();
        await noted.Opened;
        _inside!.ExcludeJoinedAfter(0);
        _gate.Open();

        Assert.Equal(("1", "1"), (await leader, await early));
    }

    /// <summary>As with attempts in parallel, of which it is not known which one the outcome is from.</summary>
    [Fact]
    public async Task ExcludeJoinedAfter_Twice_TheEarlierHolds()
    {
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<string>()));
        var leader = Lead(pipeline);
        var time = Stopwatch.GetTimestamp();
        var late = Join(pipeline, default);
        _inside!.ExcludeJoinedAfter(time);
        _inside!.NoteJoins();
        _inside!.ExcludeJoinedAfter(Stopwatch.GetTimestamp());
        _gate.Open();

        Assert.Equal(("1", "2"), (await leader, await late));
    }

    [Fact]
    public async Task NoteJoins_OfACallerThatRunsAlone_DoesNothing()
    {
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<string>()));
        Assert.Equal("alone", await InterceptedCall.Run(pipeline, null, null, context =>
        {
            context.NoteJoins();
            context.ExcludeJoinedAfter(0);
            return Task.FromResult("alone");
        }));
    }

    /// <summary>Lands a flight that another caller joined too late, and which then leads a flight of its own, held by a gate.</summary>
    private async Task<(Task<string> Late, Gate Gate)> LandWithALateCallerAsync(ResiliencePipeline<string> pipeline, bool isForgotten = false)
    {
        var leader = Lead(pipeline);
        var time = Stopwatch.GetTimestamp();
        var gate = new Gate();
        var late = Join(pipeline, default, gate);
        _inside!.ExcludeJoinedAfter(time);
        if (isForgotten)
        {
            Group.Forget("key");
        }

        _gate.Open();
        Assert.Equal("1", await leader);
        await Probe.Reached(Started, 2);
        return (late, gate);
    }

    private Task<string> Lead(ResiliencePipeline<string> pipeline) => InterceptedCall.Run(pipeline, "key", null, async context =>
    {
        _inside = context;
        _inside.NoteJoins();
        var number = Interlocked.Increment(ref _calls);
        await _gate.Opened;
        return $"{number}";
    });

    private Task<string> Join(ResiliencePipeline<string> pipeline, CancellationToken token, Gate? gate = null) => InterceptedCall.Run(
        pipeline,
        "key",
        null,
        async _ =>
        {
            var number = Interlocked.Increment(ref _calls);
            if (gate is not null)
            {
                await gate.Opened;
            }

            return $"{number}";
        },
        token);
}
