using System.Runtime.InteropServices;
using HttpClientDemo;

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
    var view = View.Create();
    using var endpoint = new TokenEndpoint(options);
    await endpoint.WarmUpAsync(stop.Token);
    using var recorder = options.Report is null ? null : FlightReport.StartRecorder();
    await using var tour = new Tour(options, endpoint, view, recorder, stop.Token);
    foreach (var wave in options.Waves)
    {
        await tour.RunAsync(wave);
    }

    var recording = recorder?.GetRecording();
    await tour.CheckRefreshedAsync();
    ClosingTable.Write(tour.Results);
    if (recording is not null)
    {
        await FlightReport.WriteAsync(options.Report!, recording, tour.Results, stop.Token);
    }

    tour.Faults.ForEach(static fault => Console.Error.WriteLine($"failed: {fault}"));
    return tour.Faults.Count == 0 ? 0 : 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.WriteLine("stopped");
    return 130;
}
