using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace TwoNodes;

/// <summary>A node of the service, in a process of its own. It does what the lines of its standard input say, and ends with them.</summary>
internal sealed class Node(IServiceProvider services, string name)
{
    private const string Business = "contoso";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(NodeArguments arguments)
    {
        await using var services = new ServiceCollection().AddTokenClient(arguments).BuildServiceProvider();
        var node = new Node(services, arguments.Name);
        await node.WarmUpAsync();
        Console.WriteLine("ready");
        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine(line.Split(' ') switch
            {
                ["ask", var sharing, var callers, var regions] => JsonSerializer.Serialize(await node.AskAsync(Enum.Parse<Sharing>(sharing), int.Parse(callers), regions.Split(','))),
                ["connect"] => await node.ConnectAsync(),
                _ => "not understood",
            });
        }
    }

    /// <summary>Has code compiled and connections made, so that the callers of the first wave do not wait for that.</summary>
    private async Task WarmUpAsync()
    {
        await ConnectAsync();
        foreach (var sharing in Enum.GetValues<Sharing>())
        {
            await services.GetRequiredKeyedService<TokenClient>(sharing).GetTokenAsync(name, "warm-up");
        }
    }

    private async Task<RegionReport[]> AskAsync(Sharing sharing, int callers, string[] regions)
    {
        var client = services.GetRequiredKeyedService<TokenClient>(sharing);
        var reports = regions.Select(region => AskAsync(client, callers, region)).ToArray();
        Console.WriteLine("asked");
        return await Task.WhenAll(reports);
    }

    private static async Task<RegionReport> AskAsync(TokenClient client, int callers, string region)
    {
        var begin = Stopwatch.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => AskAsync(client, region)));
        return new RegionReport(
            region,
            callers,
            [.. answers.Select(static answer => answer.Error).OfType<string>()],
            [.. answers.Select(static answer => answer.Token).OfType<string>().Distinct()],
            Stopwatch.GetElapsedTime(begin));
    }

    private static async Task<(string? Token, string? Error)> AskAsync(TokenClient client, string region)
    {
        try
        {
            return ((await client.GetTokenAsync(Business, region)).Value, null);
        }
        catch (Exception exception)
        {
            return (null, exception.Message);
        }
    }

    /// <summary>Waits until the server is there, but not for ever.</summary>
    private async Task<string> ConnectAsync()
    {
        var redis = services.GetRequiredService<IConnectionMultiplexer>();
        for (var begin = Stopwatch.GetTimestamp(); !redis.IsConnected && Stopwatch.GetElapsedTime(begin) < s_patience;)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }

        return "connected";
    }
}
