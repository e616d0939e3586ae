using Polly.SingleFlight.Redis.Nodes;

namespace Polly.SingleFlight.Redis.Soak;

/// <summary>The place of a node, in which another starts when it was killed.</summary>
internal sealed class Seat(int number, ServerProcess server, string scope, Oracle oracle) : IDisposable
{
    /// <summary>The shortest that is allowed, so that much is lost.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(0.5);

    private int _generation;
    private int _isClaimed;
    private volatile bool _keepsAll;

    /// <summary>The node; null while none is there. Set by the fault that has the seat.</summary>
    public NodeProcess? Node { get; private set; }

    /// <summary>Whether it takes commands, but does nothing.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Lets one fault at a time have the seat.</summary>
    public bool TryClaim() => Interlocked.Exchange(ref _isClaimed, 1) == 0;

    public void Release() => Volatile.Write(ref _isClaimed, 0);

    /// <summary>From now on all lines are kept, to be waited for.</summary>
    public void KeepAll() => _keepsAll = true;

    public async Task StartAsync()
    {
        var name = $"n{number}.{++_generation}";
        Node = await NodeProcess.StartAsync(new NodeSettings(name, server.Address, scope, Lease) { CommandTimeout = TimeSpan.FromSeconds(2) }, message =>
        {
            oracle.Hear(name, message);
            return _keepsAll || message.Kind is MessageKind.Ready or MessageKind.Done;
        });
    }

    public async Task KillAndStartAsync()
    {
        var node = Node!;
        Node = null;
        oracle.IsKilled(node.Settings.Name);
        node.Dispose();
        await node.Closed;
        await StartAsync();
    }

    public async Task StopAsync(TimeSpan time)
    {
        IsStopped = true;
        Node!.Signal("STOP");
        await Task.Delay(time);
        Node.Signal("CONT");
        IsStopped = false;
    }

    public void Dispose() => Node?.Dispose();
}
