using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace HttpClientDemo;

/// <summary>The callers of a wave. They take turns in asking for the regions, each as a request of a web service would.</summary>
internal sealed class Crowd(int size, IReadOnlyList<Region> regions, TimeSpan gap, TimeSpan patience, IServiceProvider services)
{
    public const string Business = "contoso";

    /// <summary>The activities of callers. ASP.NET Core would start one for each request.</summary>
    public const string Source = "HttpClientDemo";

    private static readonly ActivitySource s_source = new(Source);

    private readonly ConcurrentQueue<Answer> _answers = new();
    private int _arrived;

    public int Size => size;

    public int Arrived => Volatile.Read(ref _arrived);

    public int Done => _answers.Count;

    /// <summary>Sends all callers and waits for all of them, also when they are stopped.</summary>
    /// <returns>What they got, the quickest first.</returns>
    public async Task<IReadOnlyList<Answer>> AskAsync(CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        var asking = new List<Task>();
        for (var number = 0; number < size && !stop.IsCancellationRequested; number++)
        {
            // Every caller has an absolute time, so that a late one does not push back all others.
            var wait = (gap * number) - Stopwatch.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), CancellationToken.None);
            }

            // Every second caller of a region has little patience.
            var (region, turn) = (regions[number % regions.Count], number / regions.Count);
            var ownPatience = patience > TimeSpan.Zero && turn % 2 == 1 ? patience : Timeout.InfiniteTimeSpan;
            var name = $"caller {number + 1}";
            asking.Add(Task.Run(() => AskAsync(name, region, ownPatience, stop), CancellationToken.None));
            Volatile.Write(ref _arrived, number + 1);
        }

        await Task.WhenAll(asking);
        stop.ThrowIfCancellationRequested();
        return [.. _answers.OrderBy(static answer => answer.Wait)];
    }

    private async Task AskAsync(string name, Region region, TimeSpan ownPatience, CancellationToken stop)
    {
        using var activity = s_source.StartActivity(ActivityKind.Internal, tags: [new("region", region.Name)], name: name);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(stop);
        leaving.CancelAfter(ownPatience);
        var start = Stopwatch.GetTimestamp();
        var pending = services.GetRequiredService<TokenClient>().GetTokenAsync(Business, region.Name, leaving.Token);
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
