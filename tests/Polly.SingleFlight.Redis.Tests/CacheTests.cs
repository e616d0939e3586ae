using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Caching;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>A cache outside, shared by the nodes or one for each, and a cache inside.</summary>
public sealed class CacheTests(RedisServer server) : DistributedTest(server)
{
    private readonly SignallingClock _clock = new();

    [Fact]
    public async Task CachePerNode_FollowersKeepWhatTheyWereGiven_FromTheEndOfTheLeadersCall()
    {
        using var first = new MemoryCache(new MemoryCacheOptions());
        using var second = new MemoryCache(new MemoryCacheOptions());
        Node<string>[] nodes = [await CachedAsync(first), await CachedAsync(second)];
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return "leader";
        }, _ => Task.FromResult("own"));
        gate.Open();
        Assert.All(await Task.WhenAll(calls), result => Assert.Equal("leader", result));
        _clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal("leader", await nodes[1].Call("key", "hit").Soon());
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("new", await nodes[1].Call("key", "new").Soon());
    }

    [Fact]
    public async Task CachePerNode_LifetimeCountsFromTheLeadersCall_NotFromTheArrival()
    {
        using var memory = new MemoryCache(new MemoryCacheOptions());
        TimeSpan elapsed = default;
        var node = await CachedAsync(memory, options => options.LifetimeGenerator = args =>
        {
            elapsed = args.Elapsed;
            return new(new CacheLifetime(TimeSpan.FromMinutes(5)));
        });
        var stranger = new Stranger(Server, node.Group, "key", typeof(string));
        await stranger.LeadAsync();
        var call = node.Call("key", "own");
        await node.Probe.Reached(Joined, 1);
        var ages = new Payload.ResultAges(TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(2), null);
        await stranger.EndAsync(Payload.Envelope.Write(new(Payload.OutcomeContent.Value, default, ages, "\"given\""u8.ToArray()), stranger.Name, stranger.Id, null));
        Assert.Equal("given", await call.Soon());

        // Redis tells how long ago it was written to the millisecond.
        Assert.Equal(TimeSpan.FromMinutes(1), elapsed);
        _clock.Advance(TimeSpan.FromMinutes(2.8));
        Assert.Equal("given", await node.Call("key", "hit").Soon());
        _clock.Advance(TimeSpan.FromMinutes(0.2));
        Assert.Equal("new", await node.Call("key", "new").Soon());
    }

    [Fact]
    public async Task CacheInsideTheLeader_WhatItHadIsNotKeptAsNew()
    {
        using var inner = new MemoryCache(new MemoryCacheOptions());
        using var outer = new MemoryCache(new MemoryCacheOptions());
        var inside = new ResiliencePipelineBuilder<string> { Name = "inside", TimeProvider = _clock }
            .AddCache(inner, new CacheStrategyOptions<string> { Lifetime = TimeSpan.FromMinutes(5) }).Build();
        Node<string>[] nodes = [await StartAsync<string>(clock: _clock), await CachedAsync(outer)];
        await LeadAsync("old");
        _clock.Advance(TimeSpan.FromMinutes(4));
        var gate = new Gate();
        var leader = LeadAsync("not called", gate);
        await nodes[0].Probe.Reached(Led, 2);
        var follower = nodes[1].Call("key", "own");
        await nodes[1].Probe.Reached(Joined, 1);
        gate.Open();
        Assert.Equal(("old", "old"), (await leader.Soon(), await follower.Soon()));
        _clock.Advance(TimeSpan.FromMinutes(0.9));
        Assert.Equal("old", await nodes[1].Call("key", "hit").Soon());
        _clock.Advance(TimeSpan.FromMinutes(0.1));
        Assert.Equal("new", await nodes[1].Call("key", "new").Soon());

        async Task<string> LeadAsync(string result, Gate? held = null)
        {
            var context = ResilienceContextPool.Shared.Get();
            context.SetSingleFlightKey("key");
            try
            {
                return await nodes[0].Pipeline.ExecuteAsync(async own =>
                {
                    await (held?.Opened ?? Task.CompletedTask);
                    return await inside.ExecuteAsync(_ => new ValueTask<string>(result), own);
                }, context);
            }
            finally
            {
                ResilienceContextPool.Shared.Return(context);
            }
        }
    }

    [Fact]
    public async Task SharedCache_ANodeThatLookedBeforeAnotherStored_DoesNotCall()
    {
        var bytes = new Distributed();
        var nodes = new List<Node<string>> { await HybridAsync(bytes), await HybridAsync(bytes) };

        // The second node's looks, outside and inside its flight, find nothing; then the first node calls, stores and ends.
        var looks = 0;
        var goOn = new Gate();
        var looked = new Gate();
        bytes.Reading = async key =>
        {
            if (Interlocked.Increment(ref looks) == 2)
            {
                looked.Open();
                await goOn.Opened;
            }
        };
        var late = nodes[1].Call("key", "second");
        await looked.Opened.Soon();
        bytes.Reading = null;
        bytes.HideFromHeldLook = true;
        Assert.Equal("first", await nodes[0].Call("key", "first").Soon());
        goOn.Open();
        Assert.Equal("first", await late.Soon());
        Assert.Equal(0, nodes[1].Executions);
    }

    [Fact]
    public async Task SharedCache_TheFlightIsInRedisUntilTheResultIsStored()
    {
        var bytes = new Distributed();
        Node<string>[] nodes = [await HybridAsync(bytes), await HybridAsync(bytes)];
        var storing = new Gate();
        var stored = new Gate();
        bytes.Writing = async () =>
        {
            storing.Open();
            await stored.Opened;
        };
        var first = nodes[0].Call("key", "first");
        await storing.Opened.Soon();
        var second = nodes[1].Call("key", "second");
        await nodes[1].Probe.Reached(Joined, 1);
        bytes.Writing = null;
        stored.Open();
        Assert.Equal(("first", "first"), (await first.Soon(), await second.Soon()));
        Assert.Equal(0, nodes[1].Executions);
    }

    [Fact]
    public async Task SharedCache_OneExecutionPerLifetime()
    {
        var bytes = new Distributed();
        var nodes = new List<Node<string>>();
        for (var i = 0; i < 4; i++)
        {
            nodes.Add(await HybridAsync(bytes));
        }

        for (var round = 0; round < 20; round++)
        {
            var number = round;
            var calls = Enumerable.Range(0, 40).Select(i => Task.Run(() => nodes[i % 4].Call($"key {number}", async _ =>
            {
                await Task.Yield();
                return $"result {number}";
            })));
            Assert.All(await Task.WhenAll(calls).Soon(), result => Assert.Equal($"result {number}", result));
            Assert.Equal(round + 1, nodes.Sum(node => node.Executions));
        }
    }

    [Fact]
    public async Task RetryBetween_TheNextAttemptDoesNotWaitForTheFlightOfTheLast()
    {
        using var memory = new MemoryCache(new MemoryCacheOptions());
        var options = new CacheStrategyOptions<string>();
        var node = await StartAsync<string>(
            outside: builder => builder.AddCache(memory, options).AddSingleFlight().AddRetry(new() { ShouldHandle = args => new(args.Outcome.Result == "bad"), Delay = TimeSpan.Zero }),
            local: false);
        var attempts = 0;
        Assert.Equal("good", await node.Call("key", _ => Task.FromResult(++attempts < 3 ? "bad" : "good")).Soon());
        Assert.Equal((3, 3), (node.Executions, node.Listener.Count(Led)));
    }

    private Task<Node<string>> CachedAsync(MemoryCache cache, Action<CacheStrategyOptions<string>>? configure = null)
    {
        var options = new CacheStrategyOptions<string> { Lifetime = TimeSpan.FromMinutes(5) };
        configure?.Invoke(options);
        return StartAsync<string>(outside: builder => builder.AddCache(cache, options), clock: _clock);
    }

    private Task<Node<string>> HybridAsync(Distributed bytes)
    {
        var services = new ServiceCollection()
            .AddSingleton<IDistributedCache>(bytes)
            .AddHybridCache().Services
            .AddSingleFlightCacheSerializers()
            .BuildServiceProvider();
        return StartAsync<string>(outside: builder => builder.AddCache(
            services.GetRequiredService<HybridCache>(), new CacheStrategyOptions<string> { Scope = "shared", StoreTimeout = TimeSpan.FromSeconds(60) }));
    }

    /// <summary>A distributed cache, which a test can hold.</summary>
    private sealed class Distributed : IDistributedCache
    {
        private readonly MemoryDistributedCache _cache = new(Options.Create(new MemoryDistributedCacheOptions()));

        public Func<string, Task>? Reading { get; set; }

        public Func<Task>? Writing { get; set; }

        /// <summary>Whether a look that was held finds what was there when it began.</summary>
        public bool HideFromHeldLook { get; set; }

        public byte[]? Get(string key) => throw new NotSupportedException();

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => throw new NotSupportedException();

        public void Refresh(string key) => throw new NotSupportedException();

        public void Remove(string key) => throw new NotSupportedException();

        public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
        {
            var found = await _cache.GetAsync(key, token);
            if (Reading is { } reading && key.Contains("shared", StringComparison.Ordinal))
            {
                await reading(key);
                return HideFromHeldLook ? found : await _cache.GetAsync(key, token);
            }

            return found;
        }

        public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
        {
            if (Writing is { } writing)
            {
                await writing();
            }

            await _cache.SetAsync(key, value, options, token);
        }

        public Task RefreshAsync(string key, CancellationToken token = default) => _cache.RefreshAsync(key, token);

        public Task RemoveAsync(string key, CancellationToken token = default) => _cache.RemoveAsync(key, token);
    }
}
