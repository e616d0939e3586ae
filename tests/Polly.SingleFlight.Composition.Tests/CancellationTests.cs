using Microsoft.Extensions.Caching.Memory;
using Polly.SingleFlight.Composition.Tests.Rows;

namespace Polly.SingleFlight.Composition.Tests;

/// <summary>A caller's own token, through the orders: it ends that caller's wait, and nobody else's.</summary>
public sealed class CancellationTests : FlightTest
{
    [Theory]
    [InlineData("single flight", true)]
    [InlineData("cache → single flight", true)]
    [InlineData("retry → single flight", true)]
    [InlineData("breaker → single flight", true)]
    [InlineData("patience → single flight", false)]
    [InlineData("hedging → single flight", false)]
    [InlineData(RecommendedRows.Order, false)]
    public async Task OneCallersToken_EndsItsWait_AndNobodyElses(string order, bool isItsOwnInEveryPolly)
    {
        var timeline = new Timeline();
        var upstream = new Upstream(timeline, [Reply.Answers(0.5)]);
        using var cache = new MemoryCache(new MemoryCacheOptions());
        var pipeline = new Layers(cache, () => Watched(new SingleFlightStrategyOptions<int>()), static () => { }, static () => { }).Build(order, timeline);
        using var source = new CancellationTokenSource();
        Func<ResilienceContext, Task<int>> callback = context => upstream.CallAsync(context.CancellationToken).AsTask();
        var leader = Call(pipeline, "key", callback, source.Token);
        var followers = Enumerable.Range(0, 99).Select(_ => Call(pipeline, "key", callback)).ToArray();
        await source.CancelAsync();

        // A timeout or hedging outside has a token of its own, and Polly 8.5 leaves that in the exception.
        var exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);
        Assert.True(exception.CancellationToken == source.Token || !isItsOwnInEveryPolly);
        await timeline.Due(TimeSpan.FromSeconds(0.5), 1);
        timeline.MoveTo(TimeSpan.FromSeconds(0.5));
        Assert.All(await Task.WhenAll(followers), number => Assert.Equal(1, number));
        Assert.Equal(1, upstream.Calls);
    }
}
