using Polly.SingleFlight.Redis.Soak;

SoakOptions options;
try
{
    options = SoakOptions.Parse(args);
}
catch (FormatException exception)
{
    await Console.Error.WriteLineAsync($"{exception.Message}; see --help");
    return 2;
}

if (options.Help)
{
    Console.WriteLine(SoakOptions.Usage.Replace("NAMES", string.Join(", ", Enum.GetNames<FaultKind>()), StringComparison.Ordinal));
    return 0;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};

Console.WriteLine($"seed {options.Seed}, {options.Duration.TotalSeconds:0} s, {options.Processes} nodes, {options.Keys} keys, {(options.IsRedis ? "redis-server" : "Garnet")}");
var violations = await new SoakRunner(options, Console.WriteLine).RunAsync(stop.Token);
foreach (var violation in violations.First)
{
    await Console.Error.WriteLineAsync($"VIOLATION {violation}");
}

Console.WriteLine($"seed {options.Seed}: {violations.Count} violations");
return violations.Count == 0 ? 0 : 1;
