namespace Polly.SingleFlight.Http;

/// <summary>The names by which handlers and strategies find request and context, as Microsoft.Extensions.Http.Resilience has set them.</summary>
internal static class ResilienceHttp
{
    public const string Prefix = "Resilience.Http.";

    /// <summary>The request of an execution.</summary>
    public static readonly ResiliencePropertyKey<HttpRequestMessage?> Request = new("Resilience.Http.RequestMessage");

    /// <summary>
    /// Whether a pipeline is that of a resilience handler which <c>ConfigureHttpClientDefaults</c> gives to all clients. Its name is that of
    /// the client, of which there is none, and of the handler, with a hyphen between.
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
