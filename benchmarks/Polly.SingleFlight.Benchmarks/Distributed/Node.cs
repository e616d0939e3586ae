using StackExchange.Redis;

namespace Polly.SingleFlight.Benchmarks.Distributed;

/// <summary>One node of a service: it has a connection of its own, and one way of sharing calls with the other nodes.</summary>
internal abstract class Node(ConnectionMultiplexer connection) : IAsyncDisposable
{
    /// <summary>The ways that are compared, by name.</summary>
    public static IReadOnlyList<(string Name, Func<ConnectionMultiplexer, string, Node> Create)> Kinds { get; } =
    [
        ("Polly.SingleFlight.Redis", static (connection, scope) => new SingleFlightNode(connection, scope)),
        ("FusionCache, Redis locker", static (connection, scope) => new FusionCacheNode(connection, scope)),
        ("SET NX, polling at 10 ms", static (connection, scope) => new SetNxNode(connection, scope)),
    ];

    public IDatabase Database { get; } = connection.GetDatabase();

    protected ConnectionMultiplexer Connection => connection;

    /// <summary>Gets the result of a key, by one call of some node.</summary>
    public abstract Task<string> CallAsync(string key, Func<Task<string>> work);

    public virtual async ValueTask DisposeAsync() => await connection.DisposeAsync().ConfigureAwait(false);

    /// <summary>Starts nodes of one kind, and has each of them make a call, so that none of them is new.</summary>
    public static async Task<Node[]> StartAsync(Func<ConnectionMultiplexer, string, Node> create, string configuration, int count)
    {
        var nodes = new Node[count];
        for (var i = 0; i < count; i++)
        {
            nodes[i] = create(await ConnectionMultiplexer.ConnectAsync(configuration + ",abortConnect=false,allowAdmin=true").ConfigureAwait(false), "benchmark");
        }

        // The first answers come late, since code is compiled meanwhile; after late ones a node may do without the server for a second.
        for (var pass = 0; pass < 3; pass++)
        {
            foreach (var node in nodes)
            {
                for (var call = 0; call < 50; call++)
                {
                    await node.CallAsync($"{Guid.NewGuid():N}", static () => Task.FromResult("warm")).ConfigureAwait(false);
                }
            }

            await Task.Delay(TimeSpan.FromSeconds(1.1)).ConfigureAwait(false);
        }

        return nodes;
    }
}
