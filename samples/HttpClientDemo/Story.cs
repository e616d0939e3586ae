using Microsoft.Extensions.Caching.Memory;

namespace HttpClientDemo;

/// <summary>The waves, one after the other, and what came of each.</summary>
internal sealed class Story(DemoOptions options, IServiceProvider services, ITokenEndpoint endpoint)
{
    /// <returns>What did not hold; empty when everything did.</returns>
    /// <exception cref="OperationCanceledException">The demo was stopped; every caller has returned.</exception>
    public async Task<IReadOnlyList<string>> TellAsync(CancellationToken cancellationToken)
    {
        var faults = new List<string>();
        foreach (var plan in WavePlan.Of(options))
        {
            var found = await RunWaveAsync(plan, cancellationToken);
            faults.AddRange(plan.Name is null ? found : found.Select(fault => $"{plan.Name}: {fault}"));
        }

        return faults;
    }

    private async Task<IReadOnlyList<string>> RunWaveAsync(WavePlan plan, CancellationToken cancellationToken)
    {
        if (plan.Advance > TimeSpan.Zero)
        {
            services.GetRequiredService<DemoClock>().Advance(plan.Advance);
        }

        var wave = new Wave(options, plan, services);
        var upstream = new UpstreamCount(endpoint);
        var report = new Report(options, plan, wave, upstream);
        var running = RunToEndAsync(plan, wave, cancellationToken);
        await Display.ShowAsync(report, running, keepTable: plan.Name is null);
        var faults = await running;
        await upstream.UpdateAsync();

        if (report.Refusal is { } refusal)
        {
            Console.WriteLine(refusal);
        }

        Console.WriteLine(report.Verdict);
        return [.. faults, .. new Inspection(plan, wave, upstream).FindFaults(), .. FindCacheFaults(wave)];
    }

    /// <summary>Runs the wave, and waits for the refreshes that it set off: nobody else does.</summary>
    private async Task<IReadOnlyList<string>> RunToEndAsync(WavePlan plan, Wave wave, CancellationToken cancellationToken)
    {
        await wave.RunAsync(cancellationToken);
        if (!plan.IsRefreshed)
        {
            return [];
        }

        var expected = wave.Tallies.Count(static tally => tally.Callers > 0);
        var errors = await services.GetRequiredService<Refreshes>().WaitAsync(expected, options.Timeout, cancellationToken);
        return [.. errors.Select(static error => $"refresh failed: {error.Message}")];
    }

    /// <summary>The cache holds a token for each region that hands them out, and nothing of a refusal.</summary>
    private IEnumerable<string> FindCacheFaults(Wave wave)
    {
        var expected = wave.Tallies.Count(static tally => tally.Region.IsSupported && tally.Callers > 0);
        if (options.IsCached && services.GetRequiredService<IMemoryCache>() is MemoryCache cache && cache.Count != expected)
        {
            yield return $"the cache holds {cache.Count} entries instead of {expected}";
        }
    }
}
