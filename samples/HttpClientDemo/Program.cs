using HttpClientDemo;
using Polly.SingleFlight.WireMock;

DemoOptions options;
try
{
    options = CommandLine.Parse(args);
}
catch (CommandLineException exception)
{
    await Console.Error.WriteLineAsync($"{exception.Message}; --help shows the options");
    return 2;
}

if (options.Help)
{
    Console.Write(CommandLine.Usage);
    return 0;
}

using var stop = new StopSignal();
try
{
    return await Demo.RunAsync(options, stop.Token);
}
catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
{
    Console.WriteLine("stopped");
    return stop.ExitCode;
}
catch (WireMockUnavailableException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 3;
}
