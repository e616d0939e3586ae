using Polly.Telemetry;

namespace Polly.SingleFlight.Redis.Tests.Infrastructure;

/// <summary>One node of a service: a connection and a group of its own, a pipeline, and what its callbacks and events did.</summary>
internal sealed class Node<T> : IAsyncDisposable
{
    private readonly bool _ownsConnection;
    private int _executions;

    private Node(IConnectionMultiplexer connection, bool ownsConnection, RedisSingleFlightGroup group) =>
        (Connection, _ownsConnection, Group) = (connection, ownsConnection, group);

    public IConnectionMultiplexer Connection { get; }

    public RedisSingleFlightGroup Group { get; }

    public ResiliencePipeline<T> Pipeline { get; private set; } = null!;

    /// <summary>The events, by name; of bypasses also by name and reason.</summary>
    public Probe Probe { get; } = new();

    public RecordingListener Listener { get; } = new();

    /// <summary>How many callbacks have run.</summary>
    public int Executions => Volatile.Read(ref _executions);

    public static async Task<Node<T>> StartAsync(
        RedisServer server,
        string scope,
        DistributedSingleFlightStrategyOptions<T>? options = null,
        Action<ResiliencePipelineBuilder<T>>? outside = null,
        byte[]? secret = null,
        IConnectionMultiplexer? connection = null,
        TimeProvider? clock = null,
        bool local = true)
    {
        var own = connection is null;
        connection ??= await server.ConnectAsync();
        var node = new Node<T>(connection, own, new RedisSingleFlightGroup(connection, scope, secret));
        node.Build(options ?? Patient(), outside, clock, local);
        return node;
    }

    /// <summary>Options for a machine that may be slow: Redis is not taken for hanging when the machine is.</summary>
    public static DistributedSingleFlightStrategyOptions<T> Patient() => new() { CommandTimeout = TimeSpan.FromSeconds(20) };

    /// <summary>Executes the callback with a key.</summary>
    public Task<T> Call(object key, Func<CancellationToken, Task<T>> callback, CancellationToken token = default) => Pipeline.ExecuteSingleFlightAsync(
        key,
        async ended =>
        {
            Interlocked.Increment(ref _executions);
            Probe.Hit("callback");
            return await callback(ended);
        },
        token).AsTask();

    public Task<T> Call(object key, T result) => Call(key, _ => Task.FromResult(result));

    public int Bypassed(DistributedBypassReason reason) =>
        Listener.Reports.Count(report => report.Name == "OnDistributedFlightBypassed" && report.Arguments == reason.ToString());

    public async ValueTask DisposeAsync()
    {
        await Group.DisposeAsync();
        if (_ownsConnection)
        {
            await Connection.DisposeAsync();
        }
    }

    private void Build(DistributedSingleFlightStrategyOptions<T> options, Action<ResiliencePipelineBuilder<T>>? outside, TimeProvider? clock, bool local)
    {
        Listener.Written = Probe.Hit;
        var builder = new ResiliencePipelineBuilder<T> { Name = "node", TimeProvider = clock };
        builder.TelemetryListener = Listener;
        outside?.Invoke(builder);
        if (local)
        {
            builder.AddSingleFlight();
        }

        Pipeline = builder.AddDistributedSingleFlight(Group, options).Build();
    }
}
