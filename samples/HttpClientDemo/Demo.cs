using Polly.SingleFlight.WireMock;

namespace HttpClientDemo;

/// <summary>The story from end to end: an endpoint, a wave of callers, and what came of it.</summary>
internal static class Demo
{
    /// <returns>The exit code: 0 if everything held.</returns>
    /// <exception cref="WireMockUnavailableException">The endpoint was to be a WireMock server, and cannot be started.</exception>
    /// <exception cref="OperationCanceledException">The demo was stopped; callers and endpoint are gone.</exception>
    public static async Task<int> RunAsync(DemoOptions options, CancellationToken cancellationToken)
    {
        await using ITokenEndpoint endpoint = options.WireMock
            ? await WireMockEndpoint.StartAsync(options, cancellationToken)
            : await EmbeddedEndpoint.StartAsync(options, cancellationToken);
        await using var services = new ServiceCollection()
            .AddTokenClient(ReadConfiguration(), endpoint.Address, options)
            .BuildServiceProvider();

        var wave = new Wave(options, services);
        var report = new Report(options, wave, endpoint);
        Console.WriteLine(report.Heading);
        var running = wave.RunAsync(cancellationToken);
        await Display.ShowAsync(report, running);
        await running;
        await endpoint.CountAsync();

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

    private static IConfigurationRoot ReadConfiguration() =>
        new ConfigurationBuilder().SetBasePath(AppContext.BaseDirectory).AddJsonFile("appsettings.json").Build();
}
