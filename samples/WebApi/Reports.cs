using Polly;
using Polly.SingleFlight;

namespace WebApi;

/// <summary>Computes reports, each once for all who ask at the same time.</summary>
internal sealed class Reports(SingleFlightGroup group, IConfiguration configuration)
{
    private readonly TimeSpan _duration = TimeSpan.FromSeconds(configuration.GetValue("ReportSeconds", 2.0));

    // Built once. The name is a tag of the metrics; the group lets /flights look inside.
    private readonly ResiliencePipeline _pipeline = new ResiliencePipelineBuilder { Name = "reports" }
        .AddSingleFlight(new SingleFlightStrategyOptions { Group = group })
        .Build();

    private TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _computed;

    /// <summary>How many computations were begun.</summary>
    public int Computed => _computed;

    /// <summary>A request that is aborted leaves. The computation goes on for the others, and ends if there are none.</summary>
    public ValueTask<Report> GetAsync(string region, CancellationToken aborted) =>
        _pipeline.ExecuteSingleFlightAsync(region, token => ComputeAsync(region, token), aborted);

    public void Finish() => Interlocked.Exchange(ref _finished, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    /// <summary>Stands for the expensive work.</summary>
    private async ValueTask<Report> ComputeAsync(string region, CancellationToken token)
    {
        int number = Interlocked.Increment(ref _computed);
        await await Task.WhenAny(_finished.Task, Task.Delay(_duration, token));
        return new Report(region, number);
    }
}

/// <summary>What all callers get: immutable, since it is the same object for all.</summary>
internal sealed record Report(string Region, int Number);
