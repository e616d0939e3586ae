using Polly.SingleFlight.Redis.Nodes;
using Polly.SingleFlight.Soak;

namespace Polly.SingleFlight.Redis.Soak;

/// <summary>The callers of one node: they come in bursts, ask for a few keys, and some leave.</summary>
internal sealed class Callers(Seat seat, Oracle oracle, int keys, ulong seed)
{
    /// <summary>How many calls of a node there are at a time.</summary>
    private const int Most = 40;

    private Rng _rng = new(seed);

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (seat.Node is { } node && !seat.IsStopped && oracle.Running(node.Settings.Name) < Most)
            {
                for (var burst = _rng.Below(6); burst >= 0; burst--)
                {
                    Ask(node);
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1 + _rng.Below(30)), CancellationToken.None);
        }
    }

    private void Ask(NodeProcess node)
    {
        // Most are short, so that flights follow each other; some last longer than the lease.
        var milliseconds = _rng.PerMille(50) ? 600 + _rng.Below(900) : _rng.Below(120);
        var call = node.Call($"key{_rng.Below(keys)}", new Work(TimeSpan.FromMilliseconds(milliseconds), Fails: _rng.PerMille(50)));
        if (_rng.PerMille(80))
        {
            _ = LeaveAsync(node, call, TimeSpan.FromMilliseconds(_rng.Below(100)));
        }
    }

    private static async Task LeaveAsync(NodeProcess node, int call, TimeSpan time)
    {
        await Task.Delay(time);
        node.Leave(call);
    }
}
