namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>A pipeline with a strategy that looks for its key in the context, where callers set it.</summary>
internal sealed class SingleFlightContestant(string name, ResiliencePipeline pipeline) : PipelineContestant(name, pipeline)
{
    public override ResilienceContext? Rent(string key, CancellationToken token)
    {
        var context = ResilienceContextPool.Shared.Get(token);
        context.SetSingleFlightKey(key);
        return context;
    }
}
