using System.Diagnostics;

namespace Polly.SingleFlight.Soak;

/// <summary>The end of a run: everybody must come back, and nothing may be left behind.</summary>
internal sealed class Drain(World world, Worker[] team, TimeSpan limit)
{
    public async Task RunAsync(Task[] tasks)
    {
        await UntilAsync(() => tasks.All(static task => task.IsCompleted));
        foreach (var call in team.Select(static worker => worker.Current).OfType<Call>())
        {
            world.Violations.Add("A caller hangs", call.ToString());
        }

        await UntilAsync(() => Running == 0);
        Require(Running == 0, "S6 callbacks hang, or were never told to stop", Running);
        foreach (var execution in world.Arenas.SelectMany(static arena => arena.Keys).SelectMany(static key => key.Running))
        {
            world.Violations.Add("A callback hangs", $"{execution}, which waits for {execution.Calling}");
        }

        await UntilAsync(() => Active == 0 && world.Leases.Open == 0);
        Require(Active == 0, "I1 flights are left in the table", Active);
        Require(world.Arenas.All(static arena => arena.Group.GetFlights().Count == 0), "I1 flights are left in a snapshot", Active);
        Require(world.Leases.Open == 0, "S10 results that nobody disposed", world.Leases.Open);
        world.Ledger.Clear();
        foreach (var key in world.Arenas.SelectMany(static arena => arena.Keys))
        {
            key.Clear();
        }
    }

    private long Running => team.Sum(static worker => worker.Tally.Running);

    private int Active => world.Arenas.Sum(static arena => arena.Group.ActiveFlights);

    private async Task UntilAsync(Func<bool> condition)
    {
        for (var waited = Stopwatch.StartNew(); !condition() && waited.Elapsed < limit;)
        {
            await Task.Delay(5).ConfigureAwait(false);
        }
    }

    private void Require(bool condition, string rule, long count)
    {
        if (!condition)
        {
            world.Violations.Add(rule, $"{count}");
        }
    }
}
