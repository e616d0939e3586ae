using System.Collections.Concurrent;

namespace Polly.SingleFlight.Tests.Interception;

/// <summary>What a strategy inside a flight finds of it, and can do there.</summary>
public sealed class InsideStrategyTests : FlightTest
{
    private readonly ConcurrentQueue<string> _log = [];

    [Fact]
    public async Task Flight_IsFoundByItsContext()
    {
        InterceptedFlight? found = null;
        var outside = new RecordingInterceptor(new object(), _log, "outside");
        await InterceptedCall.Run(Build(Watched(new SingleFlightStrategyOptions<string>())), "key", outside, context =>
        {
            found = context.GetInterceptedFlight();
            return Task.FromResult("result");
        });
        Assert.NotNull(found);
        Assert.NotEqual(0, found.Id);
    }

    [Fact]
    public async Task Flight_ThatNothingWorksInside_IsNotFound()
    {
        InterceptedFlight? found = null;
        await InterceptedCall.Run(Build(Watched(new SingleFlightStrategyOptions<string>())), "key", null, context =>
        {
            found = context.GetInterceptedFlight();
            return Task.FromResult("result");
        });
        Assert.Null(found);
    }

    [Fact]
    public async Task Interceptor_AddedInside_WorksAfterTheOthers_AndBeforeACallerHasTheResult()
    {
        var stored = new Gate();
        var outside = new RecordingInterceptor(new object(), _log, "outside") { After = (_, _, _) => stored.Opened };
        var inside = new RecordingInterceptor(new object(), _log, "inside");
        var added = new List<bool>();
        InterceptedFlight? flight = null;
        var call = InterceptedCall.Run(Build(Watched(new SingleFlightStrategyOptions<string>())), "key", outside, context =>
        {
            flight = context.GetInterceptedFlight()!;
            added.Add(flight.TryAddInside(inside));
            added.Add(flight.TryAddInside(inside));
            return Task.FromResult("result");
        });
        Assert.Equal(["outside: before", "outside: after result"], _log);
        stored.Open();
        Assert.Equal("result", await call.Soon());
        Assert.Equal(["outside: before", "outside: after result", "inside: after result"], _log);
        Assert.Equal([true, false], added);
        Assert.False(flight!.TryAddInside(new RecordingInterceptor(new object(), _log)));
    }

    [Fact]
    public async Task LookAgain_AsksTheLeadersInterceptor_IfItIsForThisExecution()
    {
        var looks = 0;
        var builder = new ResiliencePipelineBuilder();
        var outside = new RecordingInterceptor(new object(), _log, "outside")
        {
            Applies = (_, key) => "key".Equals(key),
            Before = _ => Task.FromResult<object?>(++looks > 1 ? "found" : null),
        };
        var found = new List<string?>();
        await InterceptedCall.Run(Build(Watched(new SingleFlightStrategyOptions<string>())), "key", outside, async context =>
        {
            var flight = context.GetInterceptedFlight()!;
            found.Add((await flight.LookAgainAsync<string>(builder, "other key", context))?.Result);
            found.Add((await flight.LookAgainAsync<string>(builder, "key", context))?.Result);
            return "result";
        });
        Assert.Equal([null, "found"], found);
        Assert.Equal(2, looks);
    }
}
