using Polly.SingleFlight.WireMock;

namespace HttpClientDemo;

/// <summary>The story from end to end: an endpoint, waves of callers, and what came of it.</summary>
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

        Console.WriteLine(Report.Heading(options, endpoint));
        var faults = await new Story(options, services, endpoint).TellAsync(cancellationToken);
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
