using System.Runtime.InteropServices;
using HttpClientDemo;
using Microsoft.Extensions.DependencyInjection;

DemoOptions options;
try
{
    options = DemoOptions.Parse(args);
}
catch (FormatException exception)
{
    await Console.Error.WriteLineAsync($"{exception.Message}; --help shows the options");
    return 2;
}

if (options.Help)
{
    Console.Write(DemoOptions.Usage);
    return 0;
}

// Ctrl+C is a cancellation like any other: callers leave, the endpoint stops, and the demo ends by itself. The source is never
// disposed, because a signal may be arriving just then.
var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
{
    signal.Cancel = true;
    stop.Cancel();
});
try
{
    using var endpoint = new TokenEndpoint(options);
    await endpoint.WarmUpAsync(stop.Token);
    await using var services = new ServiceCollection().AddTokenClient(endpoint.Address, options).BuildServiceProvider();
    Console.WriteLine($"{options.Callers} callers, {options.Gap.TotalMilliseconds:0.#####} ms apart, over {options.Regions.Count} regions");
    var story = new Story(options, endpoint, services, stop.Token);
    await story.TellAsync();
    story.Faults.ForEach(static fault => Console.Error.WriteLine($"failed: {fault}"));
    return story.Faults.Count == 0 ? 0 : 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.WriteLine("stopped");
    return 130;
}
