using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Polly.SingleFlight;

namespace HttpClientDemo;

/// <summary>Runs the waves, one after the other.</summary>
internal sealed class Tour(DemoOptions options, TokenEndpoint endpoint, View view, CancellationToken stop) : IAsyncDisposable
{
    /// <summary>One set of services for all waves that share alike, so that a wave finds the cache as the one before left it.</summary>
    private readonly Dictionary<Sharing, ServiceProvider> _services = [];

    private bool _hasTokens;
    private bool _hasFailed;

    /// <summary>What did not hold.</summary>
    public List<string> Faults { get; } = [];

    public List<Result> Results { get; } = [];

    /// <exception cref="OperationCanceledException">The tour was stopped; every caller has returned.</exception>
    public async Task RunAsync(Wave wave)
    {
        var regions = wave.IsRefused ? [Region.Unsupported] : options.Regions;
        var services = ServicesFor(wave.Sharing);
        if (wave.NeedsTokens && !_hasTokens)
        {
            view.Say("The cache is filled first, with a call for each region.");
            await AskEachAsync(services, regions);
        }

        var callsPerRegion = wave.CallsPerRegion;
        if (wave.FailsFirst || (options.FailFirst && !_hasFailed && callsPerRegion == 1 && !wave.IsRefused))
        {
            regions.ToList().ForEach(endpoint.FailOnce);
            _hasFailed = true;
            callsPerRegion = 2;
        }

        var old = wave.RefreshesTokens ? await AskEachAsync(services, regions) : [];
        services.GetRequiredService<DemoClock>().Advance(wave.TimeBefore);
        var before = regions.ToDictionary(static region => region, endpoint.CallsFor);
        Dictionary<Region, int> Calls() => regions.ToDictionary(static region => region, region => endpoint.CallsFor(region) - before[region]);

        var crowd = new Crowd(Math.Min(options.Callers, wave.MaxCallers), regions, options.Gap, options.Scale(wave.Patience), services);
        var group = services.GetRequiredService<SingleFlightGroup>();
        view.Begin(wave, $"{crowd.Size} callers, {options.Gap.TotalMilliseconds:0.#####} ms apart, over {regions.Count} regions");
        var start = Stopwatch.GetTimestamp();
        var running = RunAsync(wave, crowd, services, old);
        await view.WatchAsync(running, () => new(Stopwatch.GetElapsedTime(start), crowd, group.GetFlights(), Calls().Values.Sum()));

        var calls = Calls();
        var result = new Result(wave, await running, calls.Values.Sum());
        view.End(result);
        Results.Add(result);
        Faults.AddRange(Promise.Check(result, calls, callsPerRegion));
        _hasTokens |= wave.Sharing == Sharing.Cache;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var services in _services.Values)
        {
            await services.DisposeAsync();
        }
    }

    private ServiceProvider ServicesFor(Sharing sharing)
    {
        if (!_services.TryGetValue(sharing, out var services))
        {
            _services[sharing] = services = new ServiceCollection().AddTokenClient(endpoint.Address, sharing, options).BuildServiceProvider();
        }

        return services;
    }

    private async Task<IReadOnlyList<Answer>> RunAsync(Wave wave, Crowd crowd, ServiceProvider services, IReadOnlyList<AccessToken> old)
    {
        var answers = await crowd.AskAsync(stop);
        if (wave.RefreshesTokens)
        {
            await AwaitRefreshesAsync(services, answers.Select(static answer => answer.Region).Distinct(), old);
        }

        return answers;
    }

    /// <summary>Waits until the cache has tokens other than the old ones.</summary>
    private async Task AwaitRefreshesAsync(ServiceProvider services, IEnumerable<Region> regions, IReadOnlyList<AccessToken> old)
    {
        var start = Stopwatch.GetTimestamp();
        foreach (var region in regions)
        {
            while (old.Contains((await AskEachAsync(services, [region]))[0]))
            {
                if (Stopwatch.GetElapsedTime(start) > options.AttemptTimeout)
                {
                    Faults.Add($"the token of {region.Name} was not refreshed");
                    break;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(50), stop);
            }
        }
    }

    private async Task<IReadOnlyList<AccessToken>> AskEachAsync(ServiceProvider services, IEnumerable<Region> regions) =>
        await Task.WhenAll(regions.Select(async region =>
            await services.GetRequiredService<TokenClient>().GetTokenAsync(Crowd.Business, region.Name, stop)));
}
