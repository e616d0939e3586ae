using System.Threading.Tasks.Sources;

namespace Polly.SingleFlight.Tests.Execution;

/// <summary>A callback that returns a task which was awaited before, as a value task must not be.</summary>
public sealed class ConsumedTaskTests : FlightTest
{
    [Fact]
    public async Task Callback_ReturnsAConsumedTask_LeavesNoFlight()
    {
        var pipeline = new ResiliencePipelineBuilder<string>().AddSingleFlight(new SingleFlightStrategyOptions<string> { Group = Group }).Build();
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        context.SetSingleFlightKey("key");

        var outcome = await pipeline.ExecuteOutcomeAsync(static (_, _) => new ValueTask<Outcome<string>>(new Consumed(), 1), context, 0);

        Assert.IsType<InvalidOperationException>(outcome.Exception);
        Assert.Empty(Group.GetFlights());
        ResilienceContextPool.Shared.Return(context);
    }

    private sealed class Consumed : IValueTaskSource<Outcome<string>>
    {
        public Outcome<string> GetResult(short token) => throw new InvalidOperationException();

        public ValueTaskSourceStatus GetStatus(short token) => throw new InvalidOperationException();

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            throw new InvalidOperationException();
    }
}
