using System.Text.Json;
using Polly.SingleFlight.Redis.Nodes;

// What tests start as processes of their own: a node of a service, or a server in which Garnet runs.
switch (args)
{
    case ["node", var settings]:
        await using (var node = await Node.StartAsync(JsonSerializer.Deserialize<NodeSettings>(settings)!))
        {
            await node.RunAsync();
        }

        return 0;

    case ["server", var port]:
        GarnetProgram.Run(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
        return 0;

    default:
        await Console.Error.WriteLineAsync("usage: node SETTINGS | server PORT");
        return 2;
}
