using System.Globalization;
using Polly.SingleFlight.Soak;

if (args is ["--help"])
{
    Console.WriteLine(SoakOptions.Usage.Replace("NAMES", string.Join(", ", ArenaCatalog.Names), StringComparison.Ordinal));
    return 0;
}

if (SoakOptions.TryParse(args, out var options) is { } error)
{
    Console.Error.WriteLine(error + " See --help.");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};

Write($"seed {options.Seed}, {options.Duration.TotalSeconds:0} s, {options.Tasks} tasks, {options.Keys} keys per arena");
var result = await SoakRunner.RunAsync(
    options,
    progress => Write(
        $"{progress.Elapsed.TotalSeconds,5:0} s  calls {progress.Calls:N0}  flights {progress.Flights:N0}  violations {progress.ViolationCount:N0}  {progress.CallsPerSecond:N0} calls/s"),
    stop.Token);

foreach (var violation in result.Violations)
{
    Console.Error.WriteLine("VIOLATION " + violation);
}

Write($"seed       {result.Seed}");
Write($"seconds    {result.Elapsed.TotalSeconds:0.0}");
Write($"calls      {result.Calls:N0} ({result.CallsPerSecond:N0}/s)");
Write($"flights    {result.Flights:N0}");
Write($"followers  {result.Followers:N0}");
Write($"bypassed   {result.Bypassed:N0}");
Write($"cancelled  {result.Canceled:N0}");
Write($"elections  {result.Elections:N0}");
Write($"violations {result.ViolationCount:N0}");
return result.ViolationCount == 0 ? 0 : 1;

static void Write(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
