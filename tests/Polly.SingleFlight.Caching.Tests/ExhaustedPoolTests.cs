namespace Polly.SingleFlight.Caching.Tests;

/// <summary>Callers that block their threads behind a cache wake without a thread of the pool. These tests take the whole pool, so they run alone.</summary>
[Collection(nameof(WholeThreadPool))]
public sealed class ExhaustedPoolTests : CacheTest
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public Task Execute_ThreadPoolExhaustedByBlockedFollowers_AllWakeAndTheResultIsCached(bool fails, bool areContextsUsed) => SyncCall.StartUnlimited("unused", default, null, _ =>
    {
        // Without a listener: Polly puts an asynchronous method of its own around a pipeline that has one.
        var pipeline = new ResiliencePipelineBuilder<string> { TimeProvider = Clock }
            .AddCache(Memory, Counted<string>())
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()))
            .Build();
        var contexts = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Keyed()).ToArray();
        if (areContextsUsed)
        {
            FollowOnce(pipeline, contexts);
        }

        var (started, joined) = (Probe[Started], Probe[Joined]);
        var next = -1;
        using var pool = new ExhaustedThreadPool();
        using var end = new ManualResetEventSlim();
        var leader = SyncCall.StartUnlimited("key", default, null, context => pipeline.Execute(
            _ =>
            {
                end.Wait();
                return fails ? throw new FormatException() : "leader";
            },
            context));
        Probe.WaitFor(Started, started + 1);
        var followers = pool.BlockEveryThread(() => pipeline.Execute(static _ => "follower", contexts[Interlocked.Increment(ref next)]));
        Probe.WaitFor(Joined, joined + followers.Length);
        end.Set();

        foreach (var caller in (Task<string>[])[leader, .. followers])
        {
            Assert.True(caller.ContinueWith(static _ => { }, TaskContinuationOptions.ExecuteSynchronously).Wait(TimeSpan.FromSeconds(60)), "Nobody woke.");
            Assert.Equal(fails ? null : "leader", caller.IsFaulted ? null : caller.Result);
            Assert.Equal(fails, caller.Exception?.InnerException is FormatException);
        }

        Assert.Equal(fails ? "again" : "leader", pipeline.Execute(static _ => "again", Keyed()));
        return true;
    });

    /// <summary>Uses contexts for a flight that is over, of another key.</summary>
    private void FollowOnce(ResiliencePipeline<string> pipeline, ResilienceContext[] contexts)
    {
        using var end = new ManualResetEventSlim();
        var leader = SyncCall.StartUnlimited("earlier", default, null, context => pipeline.Execute(
            _ =>
            {
                end.Wait();
                return "earlier";
            },
            context));
        Probe.WaitFor(Started, 1);
        var followers = contexts.Select(context =>
        {
            context.SetSingleFlightKey("earlier");
            return pipeline.ExecuteAsync(static _ => new ValueTask<string>("follower"), context).AsTask();
        }).ToArray();
        Probe.WaitFor(Joined, followers.Length);
        end.Set();
        Assert.True(Task.WhenAll([leader, .. followers]).Wait(TimeSpan.FromSeconds(60)));
        Array.ForEach(contexts, static context => context.SetSingleFlightKey("key"));
    }

    private static ResilienceContext Keyed()
    {
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        context.SetSingleFlightKey("key");
        return context;
    }
}

[CollectionDefinition(nameof(WholeThreadPool), DisableParallelization = true)]
public sealed class WholeThreadPool;
