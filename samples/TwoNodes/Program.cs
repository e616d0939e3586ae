using System.Runtime.InteropServices;
using TwoNodes;

// The nodes are processes of this program, too.
if (NodeArguments.Parse(args) is { } node)
{
    await Node.RunAsync(node);
    return 0;
}

TourOptions options;
try
{
    options = TourOptions.Parse(args);
}
catch (FormatException exception)
{
    await Console.Error.WriteLineAsync($"{exception.Message}; --help shows the options");
    return 2;
}

if (options.Help)
{
    Console.Write(TourOptions.Usage);
    return 0;
}

// Ctrl+C ends the tour, and with it the nodes. The source is never disposed, because a signal may be arriving just then.
var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
{
    signal.Cancel = true;
    stop.Cancel();
});
var report = new Report();
try
{
    using var endpoint = new TokenEndpoint();
    using var server = options.Redis is { } address ? RedisServer.Existing(address) : RedisServer.StartOwn();
    using var fleet = new Fleet(options.Nodes, endpoint, server, stop.Token);
    await new Tour(options, endpoint, server, fleet, report).RunAsync();
    report.Close();
    return report.IsGood ? 0 : 1;
}
catch (Exception) when (stop.IsCancellationRequested)
{
    Console.WriteLine("stopped");
    return 130;
}
