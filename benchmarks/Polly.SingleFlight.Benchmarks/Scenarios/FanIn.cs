using System.Diagnostics;
using Polly.SingleFlight.Benchmarks.Contestants;

namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>Many callers of one key: all of them join, then the one callback completes.</summary>
internal sealed class FanIn(Contestant contestant, int callers, bool ownTokens)
{
    private const string Key = "key";

    private readonly ResilienceContext?[] _contexts = new ResilienceContext?[callers];
    private readonly CancellationTokenSource?[] _sources = new CancellationTokenSource?[callers];
    private readonly Task<string>[] _calls = new Task<string>[callers];
    private GatedWork _work = new();

    /// <summary>A whole round, from renting the contexts to the end of the last caller.</summary>
    public async Task RunAsync()
    {
        Prepare();
        Lead();
        Join();
        await ReleaseAsync().ConfigureAwait(false);
        End();
    }

    /// <summary>Times from opening the callback's gate until the leader's and until the last caller's task was done.</summary>
    public async Task<Release> TimeReleaseAsync()
    {
        Prepare();
        Lead();
        Join();
        var leader = TimestampOf(_calls[0]);
        var last = TimestampOf(Task.WhenAll(_calls));
        var start = Stopwatch.GetTimestamp();
        _work.Open();
        var release = new Release(
            Stopwatch.GetElapsedTime(start, await leader.ConfigureAwait(false)),
            Stopwatch.GetElapsedTime(start, await last.ConfigureAwait(false)));
        End();
        return release;
    }

    /// <summary>Times how long all followers take to join, one after the other, and divides it by their number.</summary>
    /// <returns>Nanoseconds of one of them.</returns>
    public async Task<double> TimeJoinAsync()
    {
        Prepare();
        Lead();
        var start = Stopwatch.GetTimestamp();
        Join();
        var elapsed = Stopwatch.GetElapsedTime(start);
        await ReleaseAsync().ConfigureAwait(false);
        End();
        return elapsed.TotalNanoseconds / (callers - 1);
    }

    /// <summary>Measures what all callers allocate together.</summary>
    public Allocation MeasureBytes()
    {
        var start = GC.GetTotalAllocatedBytes(precise: true);
        Prepare();
        var prepared = GC.GetTotalAllocatedBytes(precise: true);
        Lead();
        Join();
        _work.Open();
        SpinUntilDone();
        var end = GC.GetTotalAllocatedBytes(precise: true);
        End();
        return new Allocation(prepared - start, end - prepared);
    }

    /// <summary>Makes what the callers bring: contexts with their keys, and token sources.</summary>
    public void Prepare()
    {
        _work = new GatedWork();
        for (var i = 0; i < callers; i++)
        {
            var source = ownTokens ? new CancellationTokenSource() : null;
            _sources[i] = source;
            _contexts[i] = contestant.Rent(Key, source?.Token ?? default);
        }
    }

    /// <summary>The first caller calls, and its callback runs.</summary>
    public void Lead()
    {
        _calls[0] = CallAsync(0);
        _work.SpinUntilRunning();
    }

    /// <summary>All others call.</summary>
    public void Join()
    {
        for (var i = 1; i < callers; i++)
        {
            _calls[i] = CallAsync(i);
        }
    }

    /// <summary>The callback completes, and so do all callers.</summary>
    public Task ReleaseAsync()
    {
        _work.Open();
        return Task.WhenAll(_calls);
    }

    /// <summary>Takes back what the callers brought.</summary>
    /// <exception cref="InvalidOperationException">The contestant ran more callbacks than one.</exception>
    public void End()
    {
        if (_work.Runs != 1)
        {
            throw new InvalidOperationException($"{contestant.Name}: {callers} callers ran the callback {_work.Runs} times.");
        }

        contestant.Forget(Key);
        for (var i = 0; i < callers; i++)
        {
            contestant.Return(_contexts[i]);
            _sources[i]?.Dispose();
        }
    }

    private static Task<long> TimestampOf(Task task) => task.ContinueWith(
        static _ => Stopwatch.GetTimestamp(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private Task<string> CallAsync(int caller) =>
        contestant.ExecuteAsync(Key, _contexts[caller], _work, _sources[caller]?.Token ?? default).AsTask();

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

    /// <param name="Leader">Until the leader's task was done.</param>
    /// <param name="Last">Until every caller's task was done.</param>
    internal readonly record struct Release(TimeSpan Leader, TimeSpan Last);

    /// <param name="Brought">Bytes of what the callers bring: contexts with their keys, and token sources.</param>
    /// <param name="Calls">Bytes from the first call to the end of the last.</param>
    internal readonly record struct Allocation(long Brought, long Calls);
}
