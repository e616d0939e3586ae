using Polly.Retry;
using Polly.Timeout;

namespace Polly.SingleFlight.AotSmoke;

/// <summary>Single flight between Polly's own strategies, and its group from the outside.</summary>
internal static class Composition
{
    public static async Task RetryInsideIsOneLoopForAll()
    {
        var pipeline = new ResiliencePipelineBuilder()
            .AddTimeout(TimeSpan.FromSeconds(20))
            .AddSingleFlight()
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<TimeoutException>(),
                MaxRetryAttempts = 2,
                Delay = TimeSpan.Zero,
            })
            .Build();
        var gate = Expect.Gate();
        var attempts = 0;
        var callers = Enumerable.Range(0, 10).Select(_ => pipeline.ExecuteSingleFlightAsync("key", async _ =>
        {
            await gate.Task;
            return ++attempts < 3 ? throw new TimeoutException() : attempts;
        }).AsTask()).ToArray();
        gate.SetResult();
        foreach (var result in await Task.WhenAll(callers))
        {
            Expect.Equal(3, result, "result");
        }
    }

    public static async Task TimeoutOutsideIsOneCallersPatience()
    {
        var group = new SingleFlightGroup();
        var options = new SingleFlightStrategyOptions { Group = group };
        var patient = new ResiliencePipelineBuilder().AddSingleFlight(options).Build();
        var hurried = new ResiliencePipelineBuilder()
            .AddTimeout(TimeSpan.FromMilliseconds(50))
            .AddSingleFlight(options)
            .Build();
        var gate = Expect.Gate();
        var first = patient.ExecuteSingleFlightAsync("key", async _ =>
        {
            await gate.Task;
            return "first";
        }).AsTask();
        var second = hurried.ExecuteSingleFlightAsync("key", static _ => ValueTask.FromResult("second")).AsTask();

        await Expect.ThrowsAsync<TimeoutRejectedException>(second);
        Expect.Equal(1, group.ActiveFlights, "active flights after the timeout");
        gate.SetResult();
        Expect.Equal("first", await first, "result");
    }

    public static async Task GroupControlsFlights()
    {
        var group = new SingleFlightGroup(EqualityComparer<object>.Default);
        var pipeline = new ResiliencePipelineBuilder()
            .AddSingleFlight(new SingleFlightStrategyOptions { Group = group })
            .Build();
        var gate = Expect.Gate();
        var forgotten = pipeline.ExecuteSingleFlightAsync("key", Wait).AsTask();
        Expect.Equal(typeof(int), group.GetFlights().Single().ResultType, "result type");
        Expect.Equal(true, group.Forget("key"), "forgotten");
        var canceled = pipeline.ExecuteSingleFlightAsync("key", Wait).AsTask();
        Expect.Equal(true, group.Cancel("key"), "canceled");

        await Expect.ThrowsAsync<FlightCanceledException>(canceled);
        gate.SetResult();
        Expect.Equal(1, await forgotten, "result of the forgotten flight");

        async ValueTask<int> Wait(CancellationToken cancellationToken)
        {
            await gate.Task.WaitAsync(cancellationToken);
            return 1;
        }
    }
}
