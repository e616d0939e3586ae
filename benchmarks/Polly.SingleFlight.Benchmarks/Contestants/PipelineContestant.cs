using Polly.SingleFlight.Benchmarks.Scenarios;

namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>A pipeline whose callers set no key.</summary>
internal class PipelineContestant(string name, ResiliencePipeline pipeline) : Contestant(name)
{
    public ResiliencePipeline Pipeline => pipeline;

    public override ResilienceContext? Rent(string key, CancellationToken token) => ResilienceContextPool.Shared.Get(token);

    public override void Return(ResilienceContext? context) => ResilienceContextPool.Shared.Return(context!);

    public override ValueTask<string> ExecuteAsync(string key, ResilienceContext? context, Work work, CancellationToken token) =>
        pipeline.ExecuteAsync(Work.Callback, context!, work);

    public ValueTask<Outcome<string>> ExecuteOutcomeAsync(ResilienceContext? context, Work work) =>
        pipeline.ExecuteOutcomeAsync(Work.OutcomeCallback, context!, work);
}
