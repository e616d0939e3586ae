using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpClientDemo;

/// <summary>The waves, one after the other: what each finds in the cache, what it may cost, and whether that held.</summary>
internal sealed class Story(DemoOptions options, TokenEndpoint endpoint, IServiceProvider services, CancellationToken stop)
{
    /// <summary>What did not hold.</summary>
    public List<string> Faults { get; } = [];

    /// <exception cref="OperationCanceledException">The demo was stopped; every caller has returned.</exception>
    public async Task TellAsync()
    {
        int? coldCalls = !options.HasSingleFlight ? null : options.FailFirst ? 2 : 1;
        if (options.UnknownRegion)
        {
            await RunRefusedAsync();
        }

        if (!options.HasCache)
        {
            await RunAsync("", coldCalls);
            return;
        }

        var clock = services.GetRequiredService<DemoClock>();
        await RunAsync("wave 1 (cold): ", coldCalls);
        await RunAsync("wave 2 (warm): ", calls: 0, isHit: true);

        // Tokens are valid for an hour.
        clock.Advance(TimeSpan.FromHours(1));
        var expired = await RunAsync("wave 3 (expired): ", calls: 1);

        // Past 80 % of the lifetime, where a hit has the token refreshed, and before its end.
        clock.Advance(TimeSpan.FromMinutes(50));
        await RunAsync("wave 4 (refresh ahead): ", calls: 1, isHit: true);
        await CheckRefreshAsync(expired.DistinctBy(static answer => answer.Region));
    }

    private async Task<IReadOnlyList<Answer>> RunAsync(string name, int? calls, bool isHit = false)
    {
        var (answers, upstream) = await SendAsync(options.Callers, options.Regions);
        foreach (var group in answers.GroupBy(static answer => answer.Region).OrderBy(static group => group.Key.Delay))
        {
            var (region, own) = (group.Key, group.ToArray());
            Console.WriteLine($"  {region.Name,-8} {own.Length,5} callers {upstream(region),5} upstream"
                + $"   p50 {own[own.Length / 2].Latency.TotalSeconds:0.000} s   max {own[^1].Latency.TotalSeconds:0.000} s");
            Check(calls is null || upstream(region) == calls, $"{name}{region.Name} was called {upstream(region)} times");
            var wrong = own.FirstOrDefault(answer =>
                answer.Token?.Value.StartsWith($"{Wave.Business}/{region.Name}/", StringComparison.Ordinal) != true);
            Check(wrong is null, $"{name}a caller in {region.Name} got {wrong?.Error?.Message ?? wrong?.Token?.Value}");
        }

        var waited = answers.Count(static answer => answer.HasWaited);
        Check(!isHit || waited == 0, $"{name}{waited} callers waited");
        Console.WriteLine($"{name}{answers.Count} callers, {options.Regions.Sum(upstream)} upstream calls"
            + (isHit && calls > 0 ? $", {waited} callers waited" : ""));
        return answers;
    }

    private async Task RunRefusedAsync()
    {
        var unsupported = Region.Unsupported;
        var (answers, upstream) = await SendAsync(Math.Max(1, options.Callers / Region.Supported.Count), [unsupported]);
        var error = answers[0].Error?.Message;
        Console.WriteLine($"{unsupported.Name}: {answers.Count} callers refused, upstream calls: {upstream(unsupported)}, error: {error}");
        Check(
            answers.All(answer => answer.Error is HttpRequestException { StatusCode: HttpStatusCode.BadRequest } own && own.Message == error),
            $"not all callers in {unsupported.Name} were refused alike");
        Check(!options.HasSingleFlight || upstream(unsupported) == 1, $"{unsupported.Name} was called {upstream(unsupported)} times");
    }

    /// <summary>Waits until the cache has tokens other than the old ones.</summary>
    private async Task CheckRefreshAsync(IEnumerable<Answer> old)
    {
        var start = Stopwatch.GetTimestamp();
        foreach (var (region, token) in old.Select(static answer => (answer.Region, answer.Token)))
        {
            var client = services.GetRequiredService<TokenClient>();
            while (await client.GetTokenAsync(Wave.Business, region.Name, stop) == token && Stopwatch.GetElapsedTime(start) < options.AttemptTimeout)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), stop);
            }

            Check(await client.GetTokenAsync(Wave.Business, region.Name, stop) != token, $"the token of {region.Name} was not refreshed");
        }
    }

    /// <summary>Sends a wave and shows it on its way, a line a second.</summary>
    private async Task<(IReadOnlyList<Answer> Answers, Func<Region, int> Upstream)> SendAsync(int callers, IReadOnlyList<Region> regions)
    {
        var before = regions.ToDictionary(static region => region, endpoint.CallsFor);
        int Upstream(Region region) => endpoint.CallsFor(region) - before[region];
        var wave = new Wave(callers, regions, options.Gap, services);
        var start = Stopwatch.GetTimestamp();
        var running = wave.RunAsync(stop);
        while (await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None)) != running)
        {
            Console.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalSeconds,5:0.0} s: {wave.Progress}, {regions.Sum(Upstream)} upstream calls");
        }

        return (await running, Upstream);
    }

    private void Check(bool holds, string fault)
    {
        if (!holds)
        {
            Faults.Add(fault);
        }
    }
}
