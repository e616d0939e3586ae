namespace Polly.SingleFlight.Tests.Sharing;

/// <summary>Results that nobody received.</summary>
public sealed partial class OwnershipTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Unreceived_AbandonedFlightsResult_IsDisposedOnce(bool asynchronously)
    {
        var disposed = new Gate();
        var pipeline = Build(Cloning([]));
        using var source = new CancellationTokenSource();
        var original = asynchronously ? new AsyncResource("late", disposed) : new Resource("late", disposed);
        var leader = Call(pipeline, "key", async _ =>
        {
            await _gate.Opened;
            return original;
        }, source.Token);
        await Probe.Reached(Started, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        _gate.Open();

        await disposed.Opened.Soon();
        Assert.Equal(1, original.Disposals);
    }

    [Fact]
    public async Task Unreceived_LeaderLeftAndFollowersGotCopies_OriginalIsDisposedOnce()
    {
        var disposed = new Gate();
        var pipeline = Build(Cloning([]));
        using var source = new CancellationTokenSource();
        var original = new Resource("original", disposed);
        var leader = Call(pipeline, "key", async _ =>
        {
            await _gate.Opened;
            return original;
        }, source.Token);
        await Probe.Reached(Started, 1);
        var follower = Disposing(pipeline, _ => Task.FromResult(new Resource("not run")));
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        _gate.Open();

        Assert.Equal("copy", (await follower).Name);
        await disposed.Opened.Soon();
        Assert.Equal(1, original.Disposals);
    }

    [Fact]
    public async Task Unreceived_CancelledThroughTheGroup_IsDisposedOnceEvenIfThatThrows()
    {
        var disposed = new Gate();
        var pipeline = Build(Cloning([]));
        var original = new Resource("original", disposed, throws: true);
        var leader = Call(pipeline, "key", async _ =>
        {
            await _gate.Opened;
            return original;
        });
        await Probe.Reached(Started, 1);
        Group.Cancel("key");
        await Assert.ThrowsAsync<FlightCanceledException>(() => leader);
        _gate.Open();

        await disposed.Opened.Soon();
        Assert.Equal(1, original.Disposals);
    }
}
