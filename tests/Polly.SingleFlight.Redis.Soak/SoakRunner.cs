using System.Diagnostics;
using Polly.SingleFlight.Redis.Nodes;
using Polly.SingleFlight.Soak;
using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Soak;

/// <summary>Runs a soak: callers and faults at the same time; then, without faults, the end of all calls, one call for all nodes, and nothing left in the server.</summary>
internal sealed class SoakRunner(SoakOptions options, Action<string> say)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    /// <summary>How long it takes that everything ends. Longer than a caller waits for other nodes.</summary>
    private static readonly TimeSpan s_drain = TimeSpan.FromSeconds(60);

    private readonly Violations _violations = new();

    /// <returns>What the oracle objects to.</returns>
    public async Task<Violations> RunAsync(CancellationToken stop)
    {
        var oracle = new Oracle(_violations);
        var rng = new Rng((ulong)options.Seed);
        using var server = await ServerProcess.StartAsync(options.IsRedis);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(
            $"{server.Address},allowAdmin=true,abortConnect=false,connectTimeout=20000,asyncTimeout=20000,syncTimeout=20000");
        var database = connection.GetDatabase();
        var seats = Enumerable.Range(0, options.Processes).Select(number => new Seat(number, server, $"soak-{options.Seed}", oracle)).ToArray();
        try
        {
            await Task.WhenAll(seats.Select(static seat => seat.StartAsync()));
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
            end.CancelAfter(options.Duration);
            var faults = new FaultMaker(options, seats, database, rng.Next());
            Task[] running =
            [
                .. seats.Select(seat => new Callers(seat, oracle, options.Keys, rng.Next()).RunAsync(end.Token)),
                faults.RunAsync(end.Token),
                new ExpiryWatch(database, options.IsRedis, _violations).RunAsync(end.Token),
            ];
            await ShowAsync(oracle, end.Token);
            await Task.WhenAll(running);
            say($"faults: {faults.Count()}");

            // The oracle objects to calls that do not end.
            await UntilAsync(() => Task.FromResult(seats.All(seat => oracle.Running(seat.Node!.Settings.Name) == 0)));
            await new Calm(seats, _violations).RunAsync();
            await EndNodesAsync(seats);
            await NothingIsLeftAsync(database);
            oracle.Judge(options.Processes);
            say(oracle.Count());
            return _violations;
        }
        finally
        {
            foreach (var seat in seats)
            {
                seat.Dispose();
            }
        }
    }

    private async Task ShowAsync(Oracle oracle, CancellationToken end)
    {
        var begin = Stopwatch.GetTimestamp();
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(s_interval, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            say($"{Stopwatch.GetElapsedTime(begin).TotalSeconds,5:0} s  {oracle.Count()}");
        }
    }

    private async Task EndNodesAsync(Seat[] seats)
    {
        foreach (var seat in seats)
        {
            seat.Node!.Exit();
        }

        if (!await UntilAsync(() => Task.FromResult(seats.All(static seat => seat.Node!.Closed.IsCompleted))))
        {
            _violations.Add("A node does not end", string.Join(", ", seats.Where(static seat => !seat.Node!.Closed.IsCompleted).Select(static seat => seat.Node!.Settings.Name)));
        }
    }

    private async Task NothingIsLeftAsync(IDatabase database)
    {
        if (!await UntilAsync(async () => (await ExpiryWatch.KeysAsync(database)).Length == 0))
        {
            _violations.Add("Keys are left in the server", string.Join(", ", await ExpiryWatch.KeysAsync(database)));
        }
    }

    private static async Task<bool> UntilAsync(Func<Task<bool>> condition)
    {
        var begin = Stopwatch.GetTimestamp();
        bool holds;
        while (!(holds = await condition()) && Stopwatch.GetElapsedTime(begin) < s_drain)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }

        return holds;
    }
}
