using System.Diagnostics;

namespace Polly.SingleFlight.Soak;

/// <summary>Runs a soak and drains it.</summary>
public static class SoakRunner
{
    internal const int BlockedThreads = 6;

    private static readonly TimeSpan s_progressInterval = TimeSpan.FromSeconds(5);

    /// <summary>Runs a soak.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="progress">Told every five seconds, or null.</param>
    /// <param name="stop">Ends the run early, and cleanly.</param>
    /// <returns>The counts, and what the oracle objected to.</returns>
    public static async Task<SoakResult> RunAsync(
        SoakOptions options, Action<SoakResult>? progress = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(Math.Max(workers, Environment.ProcessorCount + (2 * BlockedThreads) + 2), ports);

        var world = new World(options);
        using var process = new ProcessListener(world.Violations);
        var rng = new Rng((ulong)options.Seed);
        var team = Enumerable.Range(0, options.Tasks).Select(_ => new Worker(world, rng.Next())).ToArray();
        var clock = Stopwatch.StartNew();
        var tasks = team.Select(static worker => Task.Run(worker.RunAsync)).ToArray();

        while (clock.Elapsed < options.Duration && !stop.IsCancellationRequested)
        {
            var remaining = options.Duration - clock.Elapsed;
            await Task.WhenAny(Task.WhenAny(tasks), Delay(remaining < s_progressInterval ? remaining : s_progressInterval, stop))
                .ConfigureAwait(false);
            if (tasks.FirstOrDefault(static task => task.IsFaulted) is { } faulted)
            {
                world.Violations.Add("The soak itself failed", faulted.Exception!.ToString());
                break;
            }

            progress?.Invoke(Sum(options, team, world, clock.Elapsed));
        }

        world.IsStopping = true;
        var elapsed = clock.Elapsed;
        await new Drain(world, team, options.DrainLimit).RunAsync(tasks).ConfigureAwait(false);
        ProcessListener.Collect();
        return Sum(options, team, world, elapsed);
    }

    private static Task Delay(TimeSpan time, CancellationToken stop) =>
        Task.Delay(time > TimeSpan.Zero ? time : TimeSpan.Zero, stop).ContinueWith(
            static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private static SoakResult Sum(SoakOptions options, Worker[] team, World world, TimeSpan elapsed) => new(
        options.Seed,
        elapsed,
        team.Sum(static worker => worker.Tally.Calls),
        team.Sum(static worker => worker.Tally.Flights),
        team.Sum(static worker => worker.Tally.Followers),
        team.Sum(static worker => worker.Tally.Bypassed),
        team.Sum(static worker => worker.Tally.Canceled),
        team.Sum(static worker => worker.Tally.Elections),
        world.Violations.Count,
        world.Violations.First);
}
