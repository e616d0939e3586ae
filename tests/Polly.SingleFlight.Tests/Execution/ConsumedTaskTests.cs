using System.Threading.Tasks.Sources;

namespace Polly.SingleFlight.Tests.Execution;

/// <summary>A callback that returns a task which was awaited before, as a value task must not be. Its source throws wherever it is asked, or later.</summary>
public sealed class ConsumedTaskTests : FlightTest
{
    [Theory]
    [InlineData(Throwing.WhenAsked)]
    [InlineData(Throwing.WhenWaitedFor)]
    [InlineData(Throwing.WhenItsResultIsTaken)]
    public async Task Callback_ReturnsAConsumedTask_LeavesNoFlight(Throwing throwing)
    {
        var pipeline = new ResiliencePipelineBuilder<string>().AddSingleFlight(new SingleFlightStrategyOptions<string> { Group = Group }).Build();
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        context.SetSingleFlightKey("key");

        var outcome = await pipeline.ExecuteOutcomeAsync(static (_, source) => new ValueTask<Outcome<string>>(source, 1), context, new Consumed(throwing));

        Assert.IsType<InvalidOperationException>(outcome.Exception);
        Assert.Empty(Group.GetFlights());
        ResilienceContextPool.Shared.Return(context);
    }

    public enum Throwing
    {
        WhenAsked,
        WhenWaitedFor,
        WhenItsResultIsTaken,
    }

    private sealed class Consumed(Throwing throwing) : IValueTaskSource<Outcome<string>>
    {
        public Outcome<string> GetResult(short token) => throw new InvalidOperationException();

        public ValueTaskSourceStatus GetStatus(short token) => throwing switch
        {
            Throwing.WhenAsked => throw new InvalidOperationException(),
            Throwing.WhenWaitedFor => ValueTaskSourceStatus.Pending,
            _ => ValueTaskSourceStatus.Succeeded,
        };

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            throw new InvalidOperationException();
    }
}
