using Polly.SingleFlight.Redis.Nodes;
using Polly.SingleFlight.Soak;

namespace Polly.SingleFlight.Redis.Soak;

/// <summary>After all faults there is one execution for all nodes again.</summary>
internal sealed class Calm(Seat[] seats, Violations violations)
{
    /// <summary>How often it may be tried, since a node may take the server for hanging for a moment.</summary>
    private const int Most = 20;

    public async Task RunAsync()
    {
        var nodes = seats.Select(static seat => seat.Node!).ToArray();
        foreach (var seat in seats)
        {
            seat.KeepAll();
        }

        foreach (var node in nodes)
        {
            await node.ConnectAsync();
        }

        for (var attempt = 1; attempt <= Most; attempt++)
        {
            if (await TryAsync(nodes, $"calm{attempt}"))
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200));
        }

        violations.Add("Nodes do not meet after the faults", $"{Most} times");
    }

    /// <summary>Has one node lead until all others follow, or call themselves.</summary>
    private static async Task<bool> TryAsync(NodeProcess[] nodes, string key)
    {
        var calls = new int[nodes.Length];
        calls[0] = nodes[0].Call(key, Work.Held);
        await nodes[0].WaitAsync(message => message is { Kind: MessageKind.Began } && message.Key == key, "a callback");
        for (var i = 1; i < nodes.Length; i++)
        {
            var before = nodes[i].Messages.Count;
            calls[i] = nodes[i].Call(key, new Work(TimeSpan.Zero));
            await nodes[i].WaitAsync(message => message.Kind is MessageKind.Joined or MessageKind.Began, "a part", after: before);
        }

        nodes[0].Open(calls[0]);
        var ends = await Task.WhenAll(nodes.Select((node, i) => node.EndOf(calls[i])));
        return ends.DistinctBy(static end => end.Value).Count() == 1;
    }
}
