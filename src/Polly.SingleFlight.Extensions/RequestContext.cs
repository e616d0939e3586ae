namespace Polly.SingleFlight.Extensions;

/// <summary>
/// The context in which a request goes through a pipeline. The two know each other under the names that the handlers of
/// Microsoft.Extensions.Http.Resilience use, so that strategies work in either.
/// </summary>
internal readonly struct RequestContext
{
    private const string ContextOption = "Resilience.Http.ResilienceContext";

    private static readonly ResiliencePropertyKey<HttpRequestMessage?> s_message = new("Resilience.Http.RequestMessage");
    private static readonly HttpRequestOptionsKey<ResilienceContext?> s_context = new(ContextOption);

    private readonly HttpRequestMessage _request;
    private readonly HttpRequestMessage? _outerMessage;
    private readonly bool _isRented;

    /// <summary>
    /// Takes the context that the request carries, of an outer handler or of the caller. It counts alone, with the token it has:
    /// whoever made it has put the token there. Only a request without one gets a context for the handler's token.
    /// </summary>
    public RequestContext(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _request = request;
        if (request.Options.TryGetValue(s_context, out var context) && context is not null)
        {
            Context = context;
            _outerMessage = context.Properties.GetValue(s_message, null);
        }
        else
        {
            Context = ResilienceContextPool.Shared.Get(cancellationToken);
            _isRented = true;
            request.Options.Set(s_context, Context);
        }

        Context.Properties.Set(s_message, request);
    }

    public ResilienceContext Context { get; }

    /// <summary>
    /// The request to send inside the pipeline. A strategy may have put another one, and may run on a context of its own;
    /// handlers further inside must find that one.
    /// </summary>
    public static HttpRequestMessage MessageOf(ResilienceContext context, HttpRequestMessage request)
    {
        var message = context.Properties.GetValue(s_message, null) ?? request;
        message.Options.Set(s_context, context);
        return message;
    }

    /// <summary>Leaves request and context as they were.</summary>
    public void Leave()
    {
        if (_isRented)
        {
            ((IDictionary<string, object?>)_request.Options).Remove(ContextOption);
            ResilienceContextPool.Shared.Return(Context);
            return;
        }

        _request.Options.Set(s_context, Context);
        Context.Properties.Set(s_message, _outerMessage ?? _request);
    }
}
