namespace Polly.SingleFlight.Redis.Tests.Infrastructure;

/// <summary>The base of tests with several nodes, and after every test the validator, which finds keys left in Redis, flights left on a node and faults.</summary>
public abstract class DistributedTest(RedisServer server) : IAsyncLifetime
{
    protected const string Led = "OnDistributedFlightLed";
    protected const string Joined = "OnDistributedFlightJoined";
    protected const string Bypassed = "OnDistributedFlightBypassed";

    private readonly List<IAsyncDisposable> _nodes = [];
    private readonly List<Func<int>> _led = [];

    protected RedisServer Server { get; } = server;

    /// <summary>The scope of this test.</summary>
    protected string Scope { get; } = "test-" + Guid.NewGuid().ToString("N");

    public virtual ValueTask InitializeAsync() => default;

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var led in _led)
        {
            Assert.Equal(0, led());
        }

        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        var faults = Faults.Take();
        Assert.True(faults is [], string.Join(Environment.NewLine, faults));
    }

    private protected async Task<Node<T>> StartAsync<T>(
        DistributedSingleFlightStrategyOptions<T>? options = null,
        Action<ResiliencePipelineBuilder<T>>? outside = null,
        byte[]? secret = null,
        IConnectionMultiplexer? connection = null,
        TimeProvider? clock = null,
        bool local = true,
        string? scope = null)
    {
        var node = await Node<T>.StartAsync(Server, scope ?? Scope, options, outside, secret, connection, clock, local);
        _nodes.Add(node);
        _led.Add(() => node.Group.Led.Count);
        return node;
    }

    private protected async Task<Node<T>[]> StartAllAsync<T>(int count, Func<DistributedSingleFlightStrategyOptions<T>>? options = null, byte[]? secret = null)
    {
        var nodes = new Node<T>[count];
        for (var i = 0; i < count; i++)
        {
            nodes[i] = await StartAsync(options?.Invoke(), secret: secret);
        }

        return nodes;
    }

    /// <summary>Has the first node lead with a callback that waits for the gate, and the others follow. Ends when they do.</summary>
    private protected static async Task<Task<T>[]> FlyAsync<T>(Node<T>[] nodes, object key, Func<CancellationToken, Task<T>> leader, Func<int, Task<T>> others)
    {
        var calls = new Task<T>[nodes.Length];
        calls[0] = nodes[0].Call(key, leader).Soon();
        await nodes[0].Probe.Reached("callback", 1);
        for (var i = 1; i < nodes.Length; i++)
        {
            var number = i;
            calls[i] = nodes[i].Call(key, _ => others(number)).Soon();
        }

        foreach (var node in nodes.Skip(1))
        {
            await node.Probe.Reached(Joined, 1);
        }

        return calls;
    }

    /// <summary>Calls until Redis answers a node in time: the first commands of a process may take longer than the time-out of a test.</summary>
    private protected static Task IsAnsweredAsync(Node<int> node) => Eventually(
        async () =>
        {
            var led = node.Listener.Count(Led);
            await node.Call("warm", 0).Soon();
            return node.Listener.Count(Led) > led;
        },
        "Redis answers in time");

    /// <summary>Waits until something outside of the process, which tells nobody, is so.</summary>
    protected static async Task Eventually(Func<Task<bool>> condition, string what, TimeSpan? limit = null)
    {
        var begin = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begin) < (limit ?? TimeSpan.FromSeconds(60)), "Waited in vain: " + what);
            await Task.Delay(5);
        }
    }

    /// <summary>Waits until a time has passed by the clock of the server, which nothing here can move.</summary>
    protected async Task PassesOnTheServer(TimeSpan time)
    {
        var end = await MicrosecondsOfTheServer() + (long)time.TotalMicroseconds;
        await Eventually(async () => await MicrosecondsOfTheServer() > end, "the server's clock");
    }

    /// <summary>The time by the server's clock.</summary>
    protected async Task<long> MicrosecondsOfTheServer() =>
        (long)(await Server.Connection.GetServers()[0].TimeAsync() - DateTime.UnixEpoch).TotalMicroseconds;

    /// <summary>The keys in Redis of one key of the test's scope, with the rest of their time.</summary>
    private protected async Task<Dictionary<string, long>> KeysOf<T>(Node<T> node, object key)
    {
        var index = node.Group.Identity.IndexOf(key);
        return (await Server.KeysAsync()).Where(found => found.Key.StartsWith(index, StringComparison.Ordinal)).ToDictionary();
    }
}
