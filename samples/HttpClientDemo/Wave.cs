using System.Diagnostics;

namespace HttpClientDemo;

/// <summary>
/// The callers: each one asks for a token of its region, as a request of its own in a web service would.
/// </summary>
internal sealed class Wave(DemoOptions options, WavePlan plan, IServiceProvider services)
{
    public const string Business = "contoso";

    /// <summary>One tally for each region that was asked for, the unsupported one last.</summary>
    public IReadOnlyList<RegionTally> Tallies { get; } =
        [.. options.Regions.Concat(plan.HasUnknownRegion ? [Region.Unsupported] : []).Select(region => new RegionTally(region))];

    /// <summary>Sends all callers and waits for all of them, also when it is stopped.</summary>
    /// <exception cref="OperationCanceledException">The wave was stopped; every caller has returned.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var callers = new List<Task>(options.Callers);
        try
        {
            // Every caller has an absolute time, so a slow machine sends a late one at once instead of pushing back all others.
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < options.Callers; i++)
            {
                await DelayUntilAsync(start, options.Gap * i, cancellationToken);
                var turn = i % options.Regions.Count;
                callers.Add(SendAsync(Tallies[turn], cancellationToken));
                if (plan.HasUnknownRegion && turn == 0)
                {
                    callers.Add(SendAsync(Tallies[^1], cancellationToken));
                }
            }
        }
        finally
        {
            await Task.WhenAll(callers);
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    private static Task DelayUntilAsync(long start, TimeSpan due, CancellationToken cancellationToken)
    {
        var wait = due - Stopwatch.GetElapsedTime(start);

        // Task.Delay drops fractions of a millisecond; rounding up keeps callers from coming early.
        return wait > TimeSpan.Zero
            ? Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), cancellationToken)
            : Task.CompletedTask;
    }

    /// <summary>Sends a caller on a thread of the pool, so that one does not wait for another to get going.</summary>
    private Task SendAsync(RegionTally tally, CancellationToken cancellationToken)
    {
        tally.Arrive();
        return Task.Run(() => AskAsync(tally, cancellationToken), CancellationToken.None);
    }

    private async Task AskAsync(RegionTally tally, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        var hasWaited = true;
        try
        {
            var source = services.GetRequiredService<ITokenSource>();
            var pending = source.GetTokenAsync(Business, tally.Region.Name, cancellationToken);
            hasWaited = !pending.IsCompleted;
            var token = await pending;
            tally.Add(new Answer(Stopwatch.GetElapsedTime(start), hasWaited, token, Error: null));
        }
        catch (Exception exception)
        {
            tally.Add(new Answer(Stopwatch.GetElapsedTime(start), hasWaited, Token: null, exception));
        }
    }
}
