namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>
/// Stands in for the resilience handler of Microsoft.Extensions.Http.Resilience, which cannot be restored here: the same flow of
/// the context and the request through the same two names.
/// </summary>
internal sealed class StandInResilienceHandler(ResiliencePipeline<HttpResponseMessage> pipeline) : DelegatingHandler
{
    public static readonly ResiliencePropertyKey<HttpRequestMessage> RequestKey = new("Resilience.Http.RequestMessage");
    public static readonly HttpRequestOptionsKey<ResilienceContext?> ContextKey = new("Resilience.Http.ResilienceContext");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var context = Enter(request, cancellationToken, out var isRented);
        try
        {
            var outcome = await pipeline.ExecuteOutcomeAsync(
                static async (context, call) =>
                {
                    try
                    {
                        var request = Sending(context, call.Request);
                        return Outcome.FromResult(
                            await call.Handler.PassOnAsync(request, context.CancellationToken).ConfigureAwait(context.ContinueOnCapturedContext));
                    }
                    catch (Exception exception)
                    {
                        return Outcome.FromException<HttpResponseMessage>(exception);
                    }
                },
                context,
                (Handler: this, Request: request)).ConfigureAwait(context.ContinueOnCapturedContext);
            outcome.ThrowIfException();
            return outcome.Result!;
        }
        finally
        {
            Exit(request, context, isRented);
        }
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var context = Enter(request, cancellationToken, out var isRented);
        try
        {
            return pipeline.Execute(
                static (context, call) => call.Handler.PassOn(Sending(context, call.Request), context.CancellationToken),
                context,
                (Handler: this, Request: request));
        }
        finally
        {
            Exit(request, context, isRented);
        }
    }

    private static ResilienceContext Enter(HttpRequestMessage request, CancellationToken cancellationToken, out bool isRented)
    {
        isRented = !request.Options.TryGetValue(ContextKey, out var context) || context is null;
        context ??= ResilienceContextPool.Shared.Get(cancellationToken);
        request.Options.Set(ContextKey, context);
        context.Properties.Set(RequestKey, request);
        return context;
    }

    /// <summary>The request that this execution sends, which a strategy may have replaced, with the context it is sent in.</summary>
    private static HttpRequestMessage Sending(ResilienceContext context, HttpRequestMessage original)
    {
        var request = context.Properties.GetValue(RequestKey, original);
        request.Options.Set(ContextKey, context);
        return request;
    }

    private static void Exit(HttpRequestMessage request, ResilienceContext context, bool isRented)
    {
        if (isRented)
        {
            ResilienceContextPool.Shared.Return(context);
        }

        request.Options.Set(ContextKey, isRented ? null : context);
    }

    private Task<HttpResponseMessage> PassOnAsync(HttpRequestMessage request, CancellationToken token) => base.SendAsync(request, token);

    private HttpResponseMessage PassOn(HttpRequestMessage request, CancellationToken token) => base.Send(request, token);
}
