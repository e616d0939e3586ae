using System.Diagnostics;
using Polly.SingleFlight.Benchmarks.Contestants;

namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>Many callers of one key: all of them join, then the one callback completes.</summary>
internal sealed class FanIn(Contestant contestant, int callers, bool ownTokens)
{
    private const string Key = "key";

    private readonly ResilienceContext[] _contexts = new ResilienceContext[callers];
    private readonly CancellationTokenSource?[] _sources = new CancellationTokenSource?[callers];
    private readonly Task<string>[] _calls = new Task<string>[callers];

    public async Task RunAsync()
    {
        var work = new GatedWork();
        Prepare();
        Join(work);
        work.Open();
        await Task.WhenAll(_calls).ConfigureAwait(false);
        End(work);
    }

    /// <summary>Times from opening the callback's gate until the leader's and until the last caller's task was done.</summary>
    public async Task<Release> TimeReleaseAsync()
    {
        var work = new GatedWork();
        Prepare();
        Join(work);
        var leader = TimestampOf(_calls[0]);
        var last = TimestampOf(Task.WhenAll(_calls));
        var start = Stopwatch.GetTimestamp();
        work.Open();
        var release = new Release(
            Stopwatch.GetElapsedTime(start, await leader.ConfigureAwait(false)),
            Stopwatch.GetElapsedTime(start, await last.ConfigureAwait(false)));
        End(work);
        return release;
    }

    /// <summary>Measures what all callers allocate together.</summary>
    public Allocation MeasureBytes()
    {
        var work = new GatedWork();
        var start = GC.GetTotalAllocatedBytes(precise: true);
        Prepare();
        var prepared = GC.GetTotalAllocatedBytes(precise: true);
        Join(work);
        work.Open();
        SpinUntilDone();
        var end = GC.GetTotalAllocatedBytes(precise: true);
        End(work);
        return new Allocation(prepared - start, end - prepared);
    }

    private static Task<long> TimestampOf(Task task) => task.ContinueWith(
        static _ => Stopwatch.GetTimestamp(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private void Prepare()
    {
        for (var i = 0; i < callers; i++)
        {
            var source = ownTokens ? new CancellationTokenSource() : null;
            _sources[i] = source;
            _contexts[i] = ResilienceContextPool.Shared.Get(source?.Token ?? default);
            contestant.SetKey(_contexts[i], Key);
        }
    }

    private void Join(GatedWork work)
    {
        for (var i = 0; i < callers; i++)
        {
            _calls[i] = contestant.ExecuteAsync(Key, _contexts[i], work).AsTask();
        }
    }

    /// <summary>Waits without allocating, as an await would.</summary>
    private void SpinUntilDone()
    {
        var spinner = default(SpinWait);
        foreach (var call in _calls)
        {
            while (!call.IsCompleted)
            {
                spinner.SpinOnce(sleep1Threshold: -1);
            }
        }
    }

    private void End(GatedWork work)
    {
        if (work.Runs != 1)
        {
            throw new InvalidOperationException($"{contestant.Name}: {callers} callers ran the callback {work.Runs} times.");
        }

        for (var i = 0; i < callers; i++)
        {
            ResilienceContextPool.Shared.Return(_contexts[i]);
            _sources[i]?.Dispose();
        }
    }

    /// <param name="Leader">Until the leader's task was done.</param>
    /// <param name="Last">Until every caller's task was done.</param>
    internal readonly record struct Release(TimeSpan Leader, TimeSpan Last);

    /// <param name="Brought">Bytes of what the callers bring: contexts with their keys, and token sources.</param>
    /// <param name="Calls">Bytes from the first call to the end of the last.</param>
    internal readonly record struct Allocation(long Brought, long Calls);
}
