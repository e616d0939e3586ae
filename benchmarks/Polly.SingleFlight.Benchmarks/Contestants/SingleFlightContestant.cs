namespace Polly.SingleFlight.Benchmarks.Contestants;

/// <summary>A pipeline with the single flight strategy, keyed the way its users do.</summary>
internal sealed class SingleFlightContestant(string name, ResiliencePipeline pipeline) : PipelineContestant(name, pipeline)
{
    public override void SetKey(ResilienceContext context, string key) => context.SetSingleFlightKey(key);
}
