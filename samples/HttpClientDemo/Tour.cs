using System.Diagnostics;
using FlightRecorder;
using Microsoft.Extensions.DependencyInjection;
using Polly.SingleFlight;

namespace HttpClientDemo;

/// <summary>Runs the waves, one after the other.</summary>
internal sealed class Tour(DemoOptions options, TokenEndpoint endpoint, View view, Recorder? recorder, CancellationToken stop) : IAsyncDisposable
{
    /// <summary>One set of services for all waves that share alike, so that a wave finds the cache as the one before left it.</summary>
    private readonly Dictionary<Sharing, ServiceProvider> _services = [];

    /// <summary>Tokens that callers were given while they were refreshed.</summary>
    private HashSet<AccessToken> _old = [];

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

        services.GetRequiredService<DemoClock>().Advance(wave.TimeBefore);
        var before = regions.ToDictionary(static region => region, endpoint.CallsFor);
        Dictionary<Region, int> Calls() => regions.ToDictionary(static region => region, region => endpoint.CallsFor(region) - before[region]);

        var crowd = new Crowd(Math.Min(options.Callers, wave.MaxCallers), regions, options.Gap, options.Scale(wave.Patience), services);
        var group = services.GetRequiredService<SingleFlightGroup>();
        recorder?.BeginSection(wave.Title);
        view.Begin(wave, $"{crowd.Size} callers, {options.Gap.TotalMilliseconds:0.#####} ms apart, over {regions.Count} regions");
        var start = Stopwatch.GetTimestamp();
        var running = AskAsync(crowd, () => !wave.RefreshesTokens || (group.ActiveFlights == 0 && Calls().Values.Sum() >= regions.Count));
        await view.WatchAsync(running, () => new(Stopwatch.GetElapsedTime(start), crowd, group.GetFlights(), Calls().Values.Sum()));

        var calls = Calls();
        var result = new Result(wave, await running, calls.Values.Sum());
        view.End(result);
        Results.Add(result);
        Faults.AddRange(Promise.Check(result, calls, callsPerRegion));
        _hasTokens |= wave is { Sharing: Sharing.Cache, IsRefused: false };
        if (wave.RefreshesTokens)
        {
            _old = [.. result.Answers.Select(static answer => answer.Token).OfType<AccessToken>()];
        }
    }

    /// <summary>Checks that the refreshes have brought new tokens, with callers that are of no wave.</summary>
    public async Task CheckRefreshedAsync()
    {
        if (_old.Count > 0 && (await AskEachAsync(ServicesFor(Sharing.Cache), options.Regions)).Any(_old.Contains))
        {
            Faults.Add("a token was not refreshed");
        }
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

    /// <summary>Sends the callers, and waits for what goes on behind their backs.</summary>
    private async Task<IReadOnlyList<Answer>> AskAsync(Crowd crowd, Func<bool> isOver)
    {
        var answers = await crowd.AskAsync(stop);
        var start = Stopwatch.GetTimestamp();
        while (!isOver() && Stopwatch.GetElapsedTime(start) < options.AttemptTimeout)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), stop);
        }

        return answers;
    }

    private async Task<IReadOnlyList<AccessToken>> AskEachAsync(ServiceProvider services, IEnumerable<Region> regions) =>
        await Task.WhenAll(regions.Select(async region =>
            await services.GetRequiredService<TokenClient>().GetTokenAsync(Crowd.Business, region.Name, stop)));
}
