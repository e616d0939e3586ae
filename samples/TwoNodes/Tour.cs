using System.Diagnostics;

namespace TwoNodes;

/// <summary>The waves, one after the other: what each may cost, and whether that held.</summary>
internal sealed class Tour(TourOptions options, TokenEndpoint endpoint, RedisServer server, Fleet fleet, Report report)
{
    /// <summary>What a slow machine may add to a time.</summary>
    private static readonly TimeSpan s_slack = TimeSpan.FromSeconds(2);

    private static readonly int s_regions = Region.All.Count;

    public async Task RunAsync()
    {
        Report.Say($"{options.Nodes} nodes, one token endpoint, {(server.IsOwn ? "Garnet" : "the server")} at {server.Address}");
        await fleet.StartAsync();

        report.Add(await fleet.AskAsync("without Redis", Sharing.OneNode, Region.All, s_regions * options.Nodes));
        await ShareAsync("with Redis");
        if (options.KillsNode)
        {
            await KillNodeAsync();
        }

        if (options.KillsServer)
        {
            await KillServerAsync();
        }
    }

    /// <summary>One call for each region, for all nodes together.</summary>
    private async Task ShareAsync(string name)
    {
        var wave = await fleet.AskAsync(name, Sharing.AllNodes, Region.All, s_regions);
        report.Add(wave);
        report.Check(wave.TokensPerRegion == 1, $"{name}: there were {wave.TokensPerRegion} different tokens for a region");
    }

    /// <summary>The node whose call is in flight is killed; another takes over when the lease is over, and the rest wait for that one.</summary>
    private async Task KillNodeAsync()
    {
        var killedAt = 0L;
        var wave = await fleet.AskAsync("leading node killed", Sharing.AllNodes, [Region.Slowest], expected: 2, meanwhile: async () =>
        {
            await fleet.CallsArriveAsync(1);
            var leader = endpoint.Calls[0].Node;
            killedAt = Stopwatch.GetTimestamp();
            fleet.Kill(leader);
            Report.Say($"killed {leader}, which leads");
        });
        report.Add(wave);
        if (wave.Calls.Count > 1)
        {
            var took = Stopwatch.GetElapsedTime(killedAt, wave.Calls[1].At);
            Report.Say($"{wave.Calls[1].Node} took over after {took.TotalSeconds:0.00} s, with a lease of {Registration.Lease.TotalSeconds} s");
            report.Check(took < Registration.Lease + s_slack, $"it took {took.TotalSeconds:0.00} s to take over");
        }

        await fleet.StartAsync();
    }

    /// <summary>The server stops while calls are in flight, stays away, and comes back empty.</summary>
    private async Task KillServerAsync()
    {
        var everyNode = s_regions * options.Nodes;
        report.Add(await fleet.AskAsync("server stopped in flight", Sharing.AllNodes, Region.All, everyNode, meanwhile: async () =>
        {
            await fleet.CallsArriveAsync(s_regions);
            server.Stop();
            Report.Say("stopped the server");
        }));

        var without = await fleet.AskAsync("server away", Sharing.AllNodes, Region.All, everyNode);
        report.Add(without);
        Report.Say($"the slowest caller waited {without.Extra.TotalSeconds:0.00} s longer than the endpoint takes");
        report.Check(without.Extra < s_slack, $"without the server a caller waited {without.Extra.TotalSeconds:0.00} s longer");

        server.Start();
        await fleet.ConnectAsync();
        Report.Say("started the server again");
        await ShareAsync("server back");
    }
}
