#if POLLY_TESTING
using Polly.Testing;
#endif

namespace Polly.SingleFlight.Caching.Tests;

/// <summary>
/// Random calls, failures, departures, evictions and steps of the clock over few keys, with an oracle that knows when which result was made, and in
/// which order calls for it began: after an eviction nobody who comes gets a result whose call began before it.
/// A failure names its seed, which decides the calls; their interleaving is the machine's.
/// </summary>
[Collection(nameof(Alone))]
public sealed class SoakTests(ITestOutputHelper output) : CacheTest
{
    private const int Keys = 5;
    private const int Workers = 8;
    private const int CallsEach = 4_000;

    private static readonly TimeSpan s_lifetime = 10 * s_second;
    private static readonly TimeSpan s_stale = 5 * s_second;
    private static readonly ResiliencePropertyKey<bool> s_isStale = new("stale");

    private readonly RefreshWatch _watch = new();
    private readonly CacheManualControl _control = new();
    private readonly long[] _evictedUpTo = new long[Keys];
    private long _calls;
    private int _evictions;

    [Theory]
    [InlineData(1, CacheKind.Memory, true)]
    [InlineData(2, CacheKind.Memory, false)]
    [InlineData(3, CacheKind.HybridL2, true)]
    [InlineData(4, CacheKind.HybridL2, false)]
    [InlineData(5, CacheKind.Memory, true)]
    [InlineData(6, CacheKind.HybridL1, true)]
    [InlineData(7, CacheKind.Fusion, true)]
    [InlineData(8, CacheKind.FusionL2, true)]
    [InlineData(9, CacheKind.FusionL2, false)]
    public async Task RandomCalls_ReturnNothingTooOldAndNothingOfAnotherKey(int seed, CacheKind kind, bool withFlight)
    {
        var pipeline = Build(kind, withFlight);
        Distributed.LookedUp = static async _ => await Task.Yield();

        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            var random = new Random((seed * 1000) + worker);
            for (var i = 0; i < CallsEach; i++)
            {
                if (random.Next(30) == 0)
                {
                    Clock.Advance(random.Next(2000) * TimeSpan.FromMilliseconds(1));
                }

                if (random.Next(200) == 0)
                {
                    await EvictAsync(random);
                }

                await CallAsync(pipeline, random);
            }
        }))).WaitAsync(TimeSpan.FromMinutes(2));
        await _watch.Ended();
#if POLLY_TESTING
        var cache = pipeline.GetPipelineDescriptor().Strategies.Select(static strategy => strategy.StrategyInstance).OfType<CacheResilienceStrategy<Made>>().Single();
        Assert.True(SpinWait.SpinUntil(() => cache.Refreshes.RunningCount == 0, TimeSpan.FromSeconds(30)), $"seed {seed}: {cache.Refreshes.RunningCount} refreshes were never ended");
        var ledger = cache.Ledger;
        Assert.True(SpinWait.SpinUntil(() => ledger.Count == 0, TimeSpan.FromSeconds(30)), $"seed {seed}: calls for {ledger.Count} keys were never ended");
#endif

        // A refresh, or a call that all callers have left, may go on for a moment.
        Assert.True(SpinWait.SpinUntil(() => Group.ActiveFlights == 0, TimeSpan.FromSeconds(30)), $"seed {seed}: {Group.ActiveFlights} flights were never ended");

        var counts = string.Join(", ", new[] { Upstream, Hit, Miss, Stale, Refreshed, RefreshFailed }.Select(name => $"{Probe[name]} x {name}"));
        output.WriteLine($"seed {seed}: {counts}");
        Assert.True(_watch.Violations.IsEmpty, $"seed {seed}: {string.Join('\n', _watch.Violations.Take(10))}");
        Assert.All([Hit, Miss, Stale, Refreshed, RefreshFailed], name => Assert.NotEqual(0, Probe[name]));
        Assert.NotEqual(0, _evictions);
        Assert.Empty(Listener.Reports.Where(static report => report.Name == "OnCacheFailed").Select(static report => report.Arguments));
    }

    private ResiliencePipeline<Made> Build(CacheKind kind, bool withFlight)
    {
        var options = Counted<Made>(staleOnError: s_stale);
        var count = options.OnHit!;
        options.OnHit = args =>
        {
            args.Context.Properties.Set(s_isStale, args.IsStale);
            return count(args);
        };

        // Both from the start of the call, so that no result outlives its lifetime by the time that it took.
        options.LifetimeGenerator = args => new(new CacheLifetime(s_lifetime - args.Elapsed, 0.8 * (s_lifetime - args.Elapsed)));

        // The clock leaps, while what these limit goes on in real time.
        options.RefreshTimeout = options.StoreTimeout = TimeSpan.FromDays(1);
        options.ManualControl = _control;
        var builder = Builder<Made>("soak");
        builder = AddCache(builder, kind, options).AddStrategy(_ => _watch, new RefreshWatch.Options());
        return withFlight ? builder.AddSingleFlight(Watched(new SingleFlightStrategyOptions<Made>())).Build() : builder.Build();
    }

    private async Task CallAsync(ResiliencePipeline<Made> pipeline, Random random)
    {
        var number = random.Next(Keys);
        var key = $"key {number}";
        var (fails, yields, leaves) = (random.Next(5) == 0, random.Next(4), random.Next(10) == 0);
        using var source = new CancellationTokenSource();
        var context = ResilienceContextPool.Shared.Get(source.Token);
        context.SetSingleFlightKey(key);
        RefreshWatch.MarkCaller(context);
        var began = Clock.GetUtcNow();
        var evicted = Volatile.Read(ref _evictedUpTo[number]);
        try
        {
            var call = pipeline.ExecuteAsync(
                async (inside, _) =>
                {
                    Probe.Hit(Upstream);
                    var made = new Made(key, Clock.GetUtcNow(), Interlocked.Increment(ref _calls));
                    for (var i = 0; i < yields; i++)
                    {
                        await Task.Yield();
                    }

                    inside.CancellationToken.ThrowIfCancellationRequested();
                    return fails ? throw new InvalidOperationException("random") : made;
                },
                context,
                0).AsTask();
            if (leaves)
            {
                await source.CancelAsync();
            }

            var result = await call.Soon();
            _watch.Check(result.Key == key, $"{key} got a result of {result.Key}");
            _watch.Check(result.Call > evicted, $"{key} got the result of call {result.Call} although all up to {evicted} were evicted before");

            // A follower may have joined long after the result was made; that is for MaxJoinAge to limit, and not the cache's.
            var limit = context.Properties.GetValue(s_isStale, false) ? s_lifetime + s_stale : s_lifetime;
            _watch.Check(
                began - result.MadeAt < limit || context.GetSingleFlightResult() is { Role: SingleFlightRole.Follower },
                $"{key} got a result of {began - result.MadeAt} before the call");
        }
        catch (OperationCanceledException exception)
        {
            _watch.Check(leaves && exception.CancellationToken == source.Token, "cancelled by somebody else");
        }
        catch (InvalidOperationException exception)
        {
            _watch.Check(exception.Message == "random", exception.ToString());
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task EvictAsync(Random random)
    {
        var number = random.Next(Keys);
        var calls = Interlocked.Read(ref _calls);
        await _control.EvictAsync($"key {number}");
        Interlocked.Increment(ref _evictions);

        // The calls that had begun when the eviction did; another thread may have evicted more meanwhile.
        for (var known = Interlocked.Read(ref _evictedUpTo[number]); known < calls;)
        {
            var before = Interlocked.CompareExchange(ref _evictedUpTo[number], calls, known);
            known = before == known ? calls : before;
        }
    }

    public sealed record Made(string Key, DateTimeOffset MadeAt, long Call);
}
