namespace Polly.SingleFlight.Caching.Tests.Infrastructure;

/// <summary>
/// The base of tests of the cache: the caches that people run on a manual clock, options whose events are counted, and an upstream that
/// counts its calls by key. The validator of the base runs after every test.
/// </summary>
public abstract class CacheTest : FlightTest
{
    internal const string Hit = "hit";
    internal const string Stale = "stale";
    internal const string Miss = "miss";
    internal const string Refreshed = "refreshed";
    internal const string RefreshFailed = "refresh failed";
    internal const string Upstream = "upstream";

    protected static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    private readonly Dictionary<CacheKind, HybridUnderTest> _hybrids = [];
    private int _version;

    protected CacheTest()
    {
        Memory = new HookedMemoryCache(Clock);
        Bare = new MemoryCache(new MemoryCacheOptions { Clock = new CacheClock(Clock) });
        Distributed = new DistributedBytes(Clock);
    }

    public static TheoryData<CacheKind> Caches => new(Enum.GetValues<CacheKind>());

    /// <summary>The caches with a distributed one behind.</summary>
    public static TheoryData<CacheKind> DistributedCaches => new(CacheKind.HybridL2, CacheKind.FusionL2);

    /// <summary>Each cache with either value.</summary>
    public static TheoryData<CacheKind, bool> CachesAndEither
    {
        get
        {
            var data = new TheoryData<CacheKind, bool>();
            foreach (var kind in Enum.GetValues<CacheKind>())
            {
                data.Add(kind, false);
                data.Add(kind, true);
            }

            return data;
        }
    }

    /// <summary>A memory cache with hooks.</summary>
    internal HookedMemoryCache Memory { get; }

    /// <summary>Microsoft's memory cache itself.</summary>
    internal MemoryCache Bare { get; }

    /// <summary>The distributed cache, with hooks.</summary>
    internal DistributedBytes Distributed { get; }

    internal RecordingListener Listener { get; } = new();

    public override ValueTask DisposeAsync()
    {
        Memory.Dispose();
        Bare.Dispose();
        foreach (var hybrid in _hybrids.Values)
        {
            hybrid.Dispose();
        }

        GC.SuppressFinalize(this);
        return base.DisposeAsync();
    }

    /// <summary>Options whose events are counted, with results that live ten seconds and are refreshed after eight if the test says so.</summary>
    internal CacheStrategyOptions<T> Counted<T>(TimeSpan? refreshAfter = null, TimeSpan staleOnError = default)
    {
        return new CacheStrategyOptions<T>
        {
            LifetimeGenerator = _ => new(new CacheLifetime(10 * s_second, refreshAfter)),
            StaleOnError = staleOnError,
            OnHit = args => Count(args.IsStale ? Stale : Hit),
            OnMiss = _ => Count(Miss),
            OnRefresh = args => Count(args.Outcome.Exception is null ? Refreshed : RefreshFailed),
        };

        ValueTask Count(string name)
        {
            Probe.Hit(name);
            return default;
        }
    }

    internal ResiliencePipelineBuilder<T> Builder<T>(string? name = null) =>
        new() { Name = name, TimeProvider = Clock, TelemetryListener = Listener };

    /// <summary>A cache over the memory cache, with a single flight inside.</summary>
    internal ResiliencePipeline<T> Cached<T>(CacheStrategyOptions<T>? options = null, bool withFlight = true)
    {
        var builder = Builder<T>().AddCache(Memory, options ?? Counted<T>());
        return withFlight ? builder.AddSingleFlight(Watched(new SingleFlightStrategyOptions<T>())).Build() : builder.Build();
    }

    /// <summary>A cache of that kind, with a single flight inside.</summary>
    internal ResiliencePipeline<T> Cached<T>(CacheKind kind, CacheStrategyOptions<T>? options = null, bool withFlight = true)
    {
        var builder = AddCache(Builder<T>("pipeline"), kind, options ?? Counted<T>());
        return withFlight ? builder.AddSingleFlight(Watched(new SingleFlightStrategyOptions<T>())).Build() : builder.Build();
    }

    internal ResiliencePipelineBuilder<T> AddCache<T>(ResiliencePipelineBuilder<T> builder, CacheKind kind, CacheStrategyOptions<T> options) =>
        kind == CacheKind.Memory ? builder.AddCache(Bare, options) : builder.AddCache(Hybrid(kind), options);

    internal HybridCache Hybrid(CacheKind kind)
    {
        if (!_hybrids.TryGetValue(kind, out var hybrid))
        {
            _hybrids[kind] = hybrid = new HybridUnderTest(kind, Clock, Distributed);
        }

        return hybrid.Cache;
    }

    /// <summary>Calls upstream, which answers with the key and a number that grows with every call.</summary>
    internal Task<string> Fetch(ResiliencePipeline<string> pipeline, object key, CancellationToken token = default) =>
        Call(pipeline, key, _ => Task.FromResult(Answer(key)), token);

    /// <summary>Calls upstream, which is held by the gate.</summary>
    internal Task<string> Fetch(ResiliencePipeline<string> pipeline, object key, Gate gate, CancellationToken token = default) =>
        Call(
            pipeline,
            key,
            async _ =>
            {
                var answer = Answer(key);
                await gate.Opened;
                return answer;
            },
            token);

    internal Task<string> Fail(ResiliencePipeline<string> pipeline, object key, Exception? exception = null) => Call(
        pipeline,
        key,
        _ =>
        {
            Probe.Hit(Upstream);
            return Task.FromException<string>(exception ?? new InvalidOperationException("upstream failed"));
        });

    internal string Answer(object key)
    {
        Probe.Hit(Upstream);
        Probe.Hit($"{Upstream} {key}");
        return $"{key}:{Interlocked.Increment(ref _version)}";
    }

    /// <summary>Completes when the thread pool has begun with everything that was queued before, such as a refresh.</summary>
    internal static Task PoolReached()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ThreadPool.UnsafeQueueUserWorkItem(static reached => reached.SetResult(), reached, preferLocal: false);
        return reached.Task.Soon();
    }
}
