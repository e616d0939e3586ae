using Polly.SingleFlight.Extensions.Pipelines;

namespace Polly.SingleFlight.Extensions;

/// <summary>Sends the requests of a client through a pipeline, which it takes anew for each.</summary>
internal sealed class SingleFlightHandler(ReloadingPipeline pipeline) : DelegatingHandler
{
    public PipelineKey Key => pipeline.Key;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var generation = pipeline.Current;
        var current = new RequestContext(request, cancellationToken);
        try
        {
            var outcome = await generation.Pipeline.ExecuteOutcomeAsync(
                static async (context, call) =>
                {
                    try
                    {
                        return Outcome.FromResult(
                            await call.SendAsync(context).ConfigureAwait(context.ContinueOnCapturedContext));
                    }
                    catch (Exception exception)
                    {
                        return Outcome.FromException<HttpResponseMessage>(exception);
                    }
                },
                current.Context,
                new Call(this, request, generation)).ConfigureAwait(current.Context.ContinueOnCapturedContext);
            outcome.ThrowIfException();
            return outcome.Result!;
        }
        finally
        {
            current.Leave();
        }
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var generation = pipeline.Current;
        var current = new RequestContext(request, cancellationToken);
        try
        {
            return generation.Pipeline.Execute(
                static (context, call) => call.Send(context), current.Context, new Call(this, request, generation));
        }
        finally
        {
            current.Leave();
        }
    }

    /// <summary>What an execution needs; it also keeps the generation that it runs in from being disposed.</summary>
    private sealed class Call(SingleFlightHandler handler, HttpRequestMessage request, PipelineGeneration generation)
    {
        public Task<HttpResponseMessage> SendAsync(ResilienceContext context) =>
            handler.SendCoreAsync(RequestContext.MessageOf(context, request), context.CancellationToken);

        public HttpResponseMessage Send(ResilienceContext context)
        {
            var response = handler.SendCore(RequestContext.MessageOf(context, request), context.CancellationToken);
            GC.KeepAlive(generation);
            return response;
        }
    }

    private Task<HttpResponseMessage> SendCoreAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        base.SendAsync(request, cancellationToken);

    private HttpResponseMessage SendCore(HttpRequestMessage request, CancellationToken cancellationToken) =>
        base.Send(request, cancellationToken);
}
