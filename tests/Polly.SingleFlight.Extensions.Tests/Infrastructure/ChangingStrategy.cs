namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>A strategy of an application: changes each request, and passes it on.</summary>
internal sealed class ChangingStrategy(Action<HttpRequestMessage> change) : ResilienceStrategy<HttpResponseMessage>
{
    private static readonly ResiliencePropertyKey<HttpRequestMessage?> s_request = new("Resilience.Http.RequestMessage");

    /// <summary>A pipeline of this strategy alone, for a handler of resilience.</summary>
    public static void AddTo(ResiliencePipelineBuilder<HttpResponseMessage> pipeline, Action<HttpRequestMessage> change) =>
        pipeline.AddStrategy(_ => new ChangingStrategy(change), new Options());

    protected override ValueTask<Outcome<HttpResponseMessage>> ExecuteCore<TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<HttpResponseMessage>>> callback, ResilienceContext context, TState state)
    {
        change(context.Properties.GetValue(s_request, null)!);
        return callback(context, state);
    }

    private sealed class Options : ResilienceStrategyOptions;
}
