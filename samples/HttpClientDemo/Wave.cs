using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace HttpClientDemo;

/// <summary>What one caller got, and whether it had to wait for it.</summary>
internal sealed record Answer(Region Region, TimeSpan Latency, bool HasWaited, AccessToken? Token, Exception? Error);

/// <summary>Callers one millisecond apart, who take turns in asking for the regions, each as a request of a web service would.</summary>
internal sealed class Wave(int callers, IReadOnlyList<Region> regions, TimeSpan gap, IServiceProvider services)
{
    public const string Business = "contoso";

    private readonly ConcurrentQueue<Answer> _answers = new();
    private int _arrived;

    public string Progress => $"{_arrived} callers arrived, {Math.Min(_arrived, _answers.Count)} answered";

    /// <summary>Sends all callers and waits for all of them, also when they are stopped.</summary>
    /// <returns>What they got, the quickest first.</returns>
    public async Task<IReadOnlyList<Answer>> RunAsync(CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        var asking = new List<Task>();
        for (; _arrived < callers && !stop.IsCancellationRequested; _arrived++)
        {
            // Every caller has an absolute time, so that a late one does not push back all others.
            var wait = (gap * _arrived) - Stopwatch.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), CancellationToken.None);
            }

            var region = regions[_arrived % regions.Count];
            asking.Add(Task.Run(() => AskAsync(region, stop), CancellationToken.None));
        }

        await Task.WhenAll(asking);
        stop.ThrowIfCancellationRequested();
        return [.. _answers.OrderBy(static answer => answer.Latency)];
    }

    private async Task AskAsync(Region region, CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        var pending = services.GetRequiredService<TokenClient>().GetTokenAsync(Business, region.Name, stop);
        var hasWaited = !pending.IsCompleted;
        AccessToken? token = null;
        Exception? error = null;
        try
        {
            token = await pending;
        }
        catch (Exception exception)
        {
            error = exception;
        }

        _answers.Enqueue(new Answer(region, Stopwatch.GetElapsedTime(start), hasWaited, token, error));
    }
}
