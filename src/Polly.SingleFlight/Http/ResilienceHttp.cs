namespace Polly.SingleFlight.Http;

/// <summary>The property keys of Microsoft.Extensions.Http.Resilience for the request and the context.</summary>
internal static class ResilienceHttp
{
    public const string Prefix = "Resilience.Http.";

    /// <summary>The request of an execution.</summary>
    public static readonly ResiliencePropertyKey<HttpRequestMessage?> Request = new("Resilience.Http.RequestMessage");

    /// <summary>
    /// Whether a pipeline belongs to a resilience handler that <c>ConfigureHttpClientDefaults</c> adds to all clients. The name of such a pipeline
    /// is the empty name of the client, a hyphen, and the name of the handler.
    /// </summary>
    public static bool IsOfAllClients(string? pipelineName) => pipelineName is ['-', ..];

    /// <summary>Whether a request has options besides the context of its execution, which a resilience handler gives it.</summary>
    public static bool HasOptions(HttpRequestMessage request)
    {
        IDictionary<string, object?> options = request.Options;
        return options.Count > 1 || (options.Count == 1 && !options.ContainsKey(Context.Key));
    }

    /// <summary>The context of the execution that a request belongs to.</summary>
    public static readonly HttpRequestOptionsKey<ResilienceContext?> Context = new("Resilience.Http.ResilienceContext");
}
