namespace Polly.SingleFlight.Tests;

public class SmokeTests
{
    [Fact]
    public async Task Execute_ThousandCallersOfFourKeys_RunsFourTimes()
    {
        var pipeline = new ResiliencePipelineBuilder().AddSingleFlight().Build();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var calls = 0;
        var callers = Enumerable.Range(0, 1000).Select(i => pipeline.ExecuteSingleFlightAsync("k" + (i % 4), async _ =>
        {
            Interlocked.Increment(ref calls);
            await gate.Task;
            return i % 4;
        }, TestContext.Current.CancellationToken).AsTask()).ToArray();
        gate.SetResult();
        var results = await Task.WhenAll(callers);
        Assert.Equal(4, calls);
        Assert.All(results.Select((r, i) => (r, i)), x => Assert.Equal(x.i % 4, x.r));
    }
}
