using System.Diagnostics.Metrics;

namespace Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;

/// <summary>The base of tests over real caches: nodes, options whose events are counted, and callers who say what their call would return.</summary>
public abstract class RealCacheTest : FlightTest
{
    internal const string Upstream = "upstream";
    internal const string Hit = "hit";
    internal const string Stale = "stale";
    internal const string Refreshed = "refreshed";
    internal const string RefreshFailed = "refresh failed";

    /// <summary>A flight whose callback had begun has ended, and with it what is done inside it.</summary>
    internal const string Ended = "ended";

    protected static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private readonly string _name = Guid.NewGuid().ToString("N");
    private readonly List<Node> _nodes = [];
    private readonly MeterListener _meters = new();

    protected RealCacheTest(RedisServer redis)
    {
        Redis = redis;
        _meters.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "polly.single_flight.callers")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<int>((_, _, tags, _) =>
        {
            foreach (var tag in tags)
            {
                if (tag.Key == "pipeline.name" && ((string)tag.Value!).StartsWith(_name, StringComparison.Ordinal))
                {
                    Probe.Hit(Ended);
                }
            }
        });
        _meters.Start();
    }

    internal RedisServer Redis { get; }

    internal RecordingListener Listener { get; } = new();

    /// <summary>The beginning of the keys of this test in Redis.</summary>
    internal string Prefix => _name;

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _meters.Dispose();
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        await base.DisposeAsync();
    }

    internal Node NewNode(CacheKind kind, Action<IServiceCollection>? configure = null, bool withSerializers = true)
    {
        var node = new Node(kind, Redis, _name, Clock, configure, withSerializers);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Options whose events are counted, with results that live ten minutes and are refreshed after five if the test says so.</summary>
    internal CacheStrategyOptions<T> Counted<T>(bool refreshes = false, Action<CacheStrategyOptions<T>>? configure = null)
    {
        var options = new CacheStrategyOptions<T>
        {
            LifetimeGenerator = refreshes
                ? static _ => new(new CacheLifetime(10 * s_minute, 5 * s_minute))
                : static _ => new(new CacheLifetime(10 * s_minute)),
            OnHit = args => Count(args.IsStale ? Stale : Hit),
            OnRefresh = args => Count(args.Outcome.Exception is null ? Refreshed : RefreshFailed),
        };
        configure?.Invoke(options);
        return options;

        ValueTask Count(string name)
        {
            Probe.Hit(name);
            return default;
        }
    }

    internal ResiliencePipelineBuilder<T> Builder<T>(string? name = null) =>
        new() { Name = _name + name, TimeProvider = Clock, TelemetryListener = Listener };

    /// <summary>A cache with a single flight inside, whose events are counted.</summary>
    internal ResiliencePipeline<T> Cached<T>(
        Node node, CacheStrategyOptions<T>? options = null, SingleFlightStrategyOptions<T>? flight = null, string? name = null, SingleFlightGroup? group = null)
    {
        flight = Watched(flight ?? new SingleFlightStrategyOptions<T>());
        flight.Group = group ?? flight.Group;
        return node.Add(Builder<T>(name), options ?? Counted<T>()).AddSingleFlight(flight).Build();
    }

    /// <summary>Starts a caller, whose callback is counted, waits for the gate, and returns this value.</summary>
    internal Task<T> Read<T>(
        ResiliencePipeline<T> pipeline, object key, T value, Gate? gate = null, CancellationToken token = default, CacheMode mode = CacheMode.Default) =>
        Value(Ask(pipeline, key, value, gate, token, mode));

    internal Task<Answer<T>> Ask<T>(
        ResiliencePipeline<T> pipeline, object key, T value, Gate? gate = null, CancellationToken token = default, CacheMode mode = CacheMode.Default) => Ask(
            pipeline,
            key,
            async _ =>
            {
                if (gate is not null)
                {
                    await gate.Opened;
                }

                return value;
            },
            token,
            mode);

    /// <summary>Starts a caller, whose callback is counted.</summary>
    internal async Task<Answer<T>> Ask<T>(
        ResiliencePipeline<T> pipeline, object key, Func<ResilienceContext, Task<T>> callback, CancellationToken token = default, CacheMode mode = CacheMode.Default)
    {
        var context = ResilienceContextPool.Shared.Get(token);
        try
        {
            context.SetSingleFlightKey(key);
            context.SetCacheMode(mode);
            var value = await pipeline.ExecuteAsync(
                async (context, callback) =>
                {
                    Probe.Hit(Upstream);
                    return await callback(context);
                },
                context,
                callback).Soon();
            return new Answer<T>(value, context.GetCacheResult(), context.GetSingleFlightResult());
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    internal Task<T> Fail<T>(ResiliencePipeline<T> pipeline, object key, Exception? exception = null, CancellationToken token = default) =>
        Value(Ask<T>(pipeline, key, _ => Task.FromException<T>(exception ?? new InvalidOperationException("upstream failed")), token));

    /// <summary>Waits until something holds that nothing tells of, such as what another node did in Redis.</summary>
    internal static async Task Until(Func<Task<bool>> holds)
    {
        var limit = Task.Delay(TimeSpan.FromSeconds(30));
        while (!await holds())
        {
            Assert.False(limit.IsCompleted, "Waited in vain.");
            await Task.Delay(5);
        }
    }

    private static async Task<T> Value<T>(Task<Answer<T>> asked) => (await asked).Value;
}
