using System.Diagnostics;

namespace TwoNodes;

/// <summary>The nodes of the service.</summary>
internal sealed class Fleet(int count, TokenEndpoint endpoint, RedisServer server, CancellationToken stop) : IDisposable
{
    /// <summary>How many callers of each node ask for each region.</summary>
    private const int Callers = 50;

    private readonly List<NodeProcess> _nodes = [];
    private int _started;

    /// <summary>Starts the nodes that are missing.</summary>
    public async Task StartAsync()
    {
        var present = _nodes.Count;
        while (_nodes.Count < count)
        {
            _nodes.Add(NodeProcess.Start(new NodeArguments($"node-{++_started}", endpoint.Address, server.Address)));
        }

        await Task.WhenAll(_nodes.Skip(present).Select(node => node.IsReadyAsync(stop)));
    }

    /// <summary>Has the callers of all nodes ask for the same regions at the same time.</summary>
    /// <param name="name">What it shows.</param>
    /// <param name="sharing">Who shares a call.</param>
    /// <param name="regions">What to ask for.</param>
    /// <param name="expected">How many calls the endpoint is expected to see.</param>
    /// <param name="meanwhile">What to do while the callers wait.</param>
    public async Task<Wave> AskAsync(string name, Sharing sharing, IReadOnlyList<Region> regions, int expected, Func<Task>? meanwhile = null)
    {
        endpoint.BeginWave();
        var asked = _nodes.Count * Callers * regions.Count;
        var answers = await Task.WhenAll(_nodes.Select(node => node.AskAsync(sharing, Callers, regions, stop)));
        endpoint.AllHaveAsked();
        var begin = Stopwatch.GetTimestamp();
        if (meanwhile is not null)
        {
            await meanwhile();
        }

        var reports = await Task.WhenAll(answers);
        return new Wave(name, asked, [.. reports.SelectMany(static report => report ?? [])], endpoint.Calls, expected, Stopwatch.GetElapsedTime(begin));
    }

    /// <summary>Waits until calls have reached the endpoint, and a moment longer, in which the callers of the other nodes are told to wait for them.</summary>
    public async Task CallsArriveAsync(int calls)
    {
        while (endpoint.Calls.Count < calls)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), stop);
        }

        await Task.Delay(TimeSpan.FromMilliseconds(500), stop);
    }

    public void Kill(string name)
    {
        var node = _nodes.Single(node => node.Name == name);
        node.Dispose();
        _nodes.Remove(node);
    }

    /// <summary>Waits until all nodes have the server.</summary>
    public Task ConnectAsync() => Task.WhenAll(_nodes.Select(node => node.ConnectAsync(stop)));

    public void Dispose() => _nodes.ForEach(static node => node.Dispose());
}
