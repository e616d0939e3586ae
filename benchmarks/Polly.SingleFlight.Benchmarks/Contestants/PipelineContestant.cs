using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>A pipeline whose callers set no key.</summary>
internal class PipelineContestant(string name, ResiliencePipeline pipeline) : Contestant(name)
{
    public ResiliencePipeline Pipeline => pipeline;

    public override ValueTask<string> ExecuteAsync(string key, ResilienceContext context, Work work) =>
        pipeline.ExecuteAsync(Work.Callback, context, work);

    public override ValueTask<Outcome<string>> ExecuteOutcomeAsync(string key, ResilienceContext context, Work work) =>
        pipeline.ExecuteOutcomeAsync(Work.OutcomeCallback, context, work);
}
