namespace HttpClientDemo;

/// <summary>The story from end to end: an endpoint, a wave of callers, and what came of it.</summary>
internal static class Demo
{
    /// <returns>The exit code: 0 if everything held.</returns>
    /// <exception cref="OperationCanceledException">The demo was stopped; callers and endpoint are gone.</exception>
    public static async Task<int> RunAsync(DemoOptions options, CancellationToken cancellationToken)
    {
        await using var endpoint = await TokenEndpoint.StartAsync(options, cancellationToken);
        await using var services = new ServiceCollection().AddTokenClient(endpoint.Address, options).BuildServiceProvider();

        var wave = new Wave(options, services);
        var report = new Report(options, wave, endpoint);
        Console.WriteLine(report.Heading);
        var running = wave.RunAsync(cancellationToken);
        await Display.ShowAsync(report, running);
        await running;

        if (report.Refusal is { } refusal)
        {
            Console.WriteLine(refusal);
        }

        Console.WriteLine(report.Verdict);
        var faults = new Inspection(options, wave, endpoint).FindFaults();
        if (faults.Count == 0)
        {
            return 0;
        }

        await Console.Error.WriteLineAsync($"failed: {string.Join("; ", faults)}");
        return 1;
    }
}
