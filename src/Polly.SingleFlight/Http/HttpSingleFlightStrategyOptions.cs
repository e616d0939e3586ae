using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight.Http;

/// <summary>
/// Options of the single flight strategy for pipelines of <see cref="HttpResponseMessage"/>: concurrent equal requests are sent once, and every
/// caller gets a response of its own.
/// </summary>
/// <remarks>
/// <para>
/// The defaults are safe for any <see cref="HttpClient"/>: a response is shared only if RFC 9111, section 4, and the headers of
/// both sides leave no doubt that it answers every one of those requests. In doubt each caller sends its own request.
/// </para>
/// <para>
/// <see cref="SingleFlightStrategyOptions{TResult}.ShouldShare"/> can restrict sharing further. It is asked when the body is in
/// memory, on a copy of the response that is disposed afterwards.
/// <see cref="SingleFlightStrategyOptions{TResult}.ResultCloner"/> and
/// <see cref="SingleFlightStrategyOptions{TResult}.UnsharedOutcome"/> are refused: every caller has its own copy anyway, and
/// callers who do not share send their requests in parallel.
/// </para>
/// <para>
/// Pipelines that share a <see cref="SingleFlightStrategyOptions.Group"/> coalesce with each other only if they also have the same
/// <see cref="ResiliencePipelineBuilderBase.Name"/> and <see cref="ResiliencePipelineBuilderBase.InstanceName"/>: those of two clients send
/// through other handlers and connections. A write forgets the reads of the whole group.
/// </para>
/// <para>The values are read when the pipeline is built; changing them later has no effect on pipelines already built.</para>
/// </remarks>
public class HttpSingleFlightStrategyOptions : SingleFlightStrategyOptions<HttpResponseMessage>, IValidatableObject
{
    /// <summary>The largest array that the runtime can create.</summary>
    private const int LargestArray = 0x7FFFFFC7;

    /// <summary>Initializes a new instance of the <see cref="HttpSingleFlightStrategyOptions"/> class.</summary>
    public HttpSingleFlightStrategyOptions() => KeyGenerator = GenerateKeyAsync;

    /// <summary>
    /// Gets the methods whose requests may be coalesced. GET and HEAD take part only without a body, others only if their body
    /// is in memory, see <see cref="MaxRequestBodyBytes"/>.
    /// </summary>
    /// <value>
    /// The default is GET and HEAD. A method that is added must be safe to send once for several callers. A request that is sent alone forgets the
    /// flights of its URI, unless its method is safe (GET, HEAD, OPTIONS, TRACE, QUERY).
    /// </value>
    public ISet<HttpMethod> Methods { get; } = new HashSet<HttpMethod> { HttpMethod.Get, HttpMethod.Head };

    /// <summary>
    /// Gets the names of the request headers in which requests may differ and still be coalesced. Every other header is part of
    /// the key, so callers that differ in credentials, ranges, conditions, tenants or a header of <c>Vary</c> do not meet.
    /// </summary>
    /// <value>
    /// The default is <c>traceparent</c>, <c>tracestate</c>, <c>baggage</c>, <c>Correlation-Context</c>, <c>Request-Id</c>,
    /// <c>X-Request-Id</c>, <c>X-Correlation-Id</c> and <c>x-ms-client-request-id</c>. Upper and lower case do not differ.
    /// </value>
    public ISet<string> ExcludedHeaders { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "traceparent",
        "tracestate",
        "baggage",
        "Correlation-Context",
        "Request-Id",
        "X-Request-Id",
        "X-Correlation-Id",
        "x-ms-client-request-id",
    };

    /// <summary>
    /// Gets the names of the request headers that a handler inside single flight may add or change without it counting as an identity, because
    /// they are alike for all callers or mean nothing to the response. See <see cref="GuardCredentials"/>.
    /// </summary>
    /// <value>
    /// The default is <c>Accept-Encoding</c>, <c>User-Agent</c>, <c>Connection</c>, <c>Transfer-Encoding</c>, <c>X-ClientApplication</c> (which
    /// Microsoft.Extensions.Http.Diagnostics adds, alike for all) and the trace headers of B3, Jaeger, AWS X-Ray, Google Cloud, Datadog, Sentry,
    /// New Relic and Elastic. What <see cref="ExcludedHeaders"/> names is harmless as well. <c>Host</c> declares that the address may be changed to
    /// any other host. Credentials (<see cref="GuardCredentials"/>) cannot be declared harmless here. Upper and lower case do not differ.
    /// </value>
    public ISet<string> HarmlessHeaders { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "Accept-Encoding",
        "User-Agent",
        "Connection",
        "Transfer-Encoding",
        "X-ClientApplication",
        "b3",
        "X-B3-TraceId",
        "X-B3-SpanId",
        "X-B3-ParentSpanId",
        "X-B3-Sampled",
        "X-B3-Flags",
        "uber-trace-id",
        "X-Amzn-Trace-Id",
        "X-Cloud-Trace-Context",
        "x-datadog-trace-id",
        "x-datadog-parent-id",
        "x-datadog-sampling-priority",
        "x-datadog-origin",
        "x-datadog-tags",
        "sentry-trace",
        "newrelic",
        "elastic-apm-traceparent",
    };

    /// <summary>
    /// Gets the names of the request headers whose presence keeps a request from being coalesced.
    /// </summary>
    /// <value>The default is <c>Upgrade</c>, <c>Expect</c> and <c>DPoP</c> (RFC 9449). Upper and lower case do not differ.</value>
    public ISet<string> BypassHeaders { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "Upgrade", "Expect", "DPoP" };

    /// <summary>
    /// Gets or sets a function that returns a further part of the key, which the request does not contain: a tenant, a user, a client certificate,
    /// the cookies of a <see cref="System.Net.CookieContainer"/>.
    /// </summary>
    /// <value>
    /// The default is <see langword="null"/>: the request contains all parts. Values are compared with
    /// <see cref="object.Equals(object)"/>. A function that returns <see langword="null"/> or an empty string bypasses; one that
    /// throws fails that caller only.
    /// </value>
    public Func<HttpRequestMessage, object?>? Discriminator { get; set; }

    /// <summary>
    /// Gets or sets the size in bytes up to which the body of a request is read into memory. Requests with a larger body, one of
    /// unknown length, or a <see cref="StreamContent"/> are not coalesced.
    /// </summary>
    /// <value>Zero or more. The default is 65,536 (64 KiB).</value>
    [Range(0, LargestArray)]
    public int MaxRequestBodyBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// Gets or sets the size in bytes, after decompression, up to which the body of a response is shared.
    /// </summary>
    /// <value>Zero or more. The default is 1,048,576 (1 MiB). The leader of a flight streams a larger body, the others send their own requests.</value>
    [Range(0, LargestArray)]
    public int MaxResponseBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>
    /// Gets or sets how many bytes all flights of this strategy together may hold while they read response bodies. A flight that
    /// would exceed it does not share its response.
    /// </summary>
    /// <value>Zero or more. The default is 67,108,864 (64 MiB).</value>
    [Range(0, long.MaxValue)]
    public long MaxTotalBufferedBytes { get; set; } = 64L * 1024 * 1024;

    /// <summary>
    /// Gets or sets a value indicating whether responses with <c>Cache-Control: no-store</c> are shared among concurrent, equal
    /// requests. RFC 6749, section 5.1, requires that header on every token response.
    /// </summary>
    /// <value>The default is <see langword="false"/>; <see cref="UseTokenEndpoint"/> sets it.</value>
    public bool ShareNoStoreResponses { get; set; }

    /// <summary>
    /// Gets or sets a value indicating whether responses with <c>Set-Cookie</c> are shared.
    /// </summary>
    /// <value>The default is <see langword="false"/>: a cookie is usually meant for one user.</value>
    public bool ShareSetCookieResponses { get; set; }

    /// <summary>
    /// Gets or sets a value indicating whether credentials that a handler inside single flight adds to the request keep the response from the
    /// others.
    /// </summary>
    /// <value>
    /// The default is <see langword="true"/>. <see langword="false"/> declares that such handlers add the same credentials for all callers.
    /// </value>
    /// <remarks>
    /// <para>
    /// An addition to the request inside the flight may identify the leader: a header that was added or changed, another host, scheme, port, path,
    /// query, method or body. Then only the leader gets the response, the others send their own requests, and the event <c>OnIdentityGuard</c>
    /// (Warning), once per strategy, names the addition without its value. <see cref="HarmlessHeaders"/> names the headers that do not count.
    /// </para>
    /// <para>
    /// This option is about six headers that cannot be named there: <c>Authorization</c>, <c>Proxy-Authorization</c>, <c>Cookie</c>, <c>DPoP</c>,
    /// <c>X-Api-Key</c> and <c>Api-Key</c>. All other additions count also with <see langword="false"/>.
    /// </para>
    /// </remarks>
    public bool GuardCredentials { get; set; } = true;

    /// <summary>
    /// Gets or sets how long followers wait for a body of unknown length, counted from the headers of the response. A response that takes longer
    /// may not end: the leader streams it, and the others send their own requests.
    /// </summary>
    /// <value>
    /// Zero or more, or <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>. The default is 1 second, on the builder's
    /// <see cref="ResiliencePipelineBuilderBase.TimeProvider"/>. It does not apply to bodies with a <c>Content-Length</c>.
    /// </value>
    [NotNegative(OrInfinite = true)]
    public TimeSpan MaxBodyWait { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Gets or sets a value indicating whether a client that is registered with <c>IHttpClientBuilder.AddSingleFlight</c> keeps its handlers in
    /// the order in which they were added. It has no effect on other pipelines.
    /// </summary>
    /// <value>
    /// The default is <see langword="false"/>: resilience handlers that were added before single flight, by the defaults of all clients for
    /// instance, are moved inside, so that they act once for all callers.
    /// </value>
    public bool KeepHandlerOrder { get; set; }

    /// <summary>
    /// Gets or sets how long it is remembered that the responses to a request cannot be shared. Equal requests run alone meanwhile. At most 1024
    /// requests are remembered.
    /// </summary>
    /// <value>
    /// Zero or more; zero turns it off. The default is 30 seconds, on the builder's
    /// <see cref="ResiliencePipelineBuilderBase.TimeProvider"/>. Responses with status 429 and 5xx are never remembered.
    /// </value>
    [NotNegative]
    public TimeSpan UnshareableDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether requests take part only if they are token requests of the client credentials grant.</summary>
    internal bool IsForTokenEndpoint { get; private set; }

    /// <summary>Whether the key generator is another than the default.</summary>
    internal bool HasOwnKeyGenerator => KeyGenerator != GenerateKeyAsync;

    internal override Type? ResultType => typeof(HttpResponseMessage);

    /// <summary>
    /// Creates options for a token endpoint. See <see cref="UseTokenEndpoint"/>.
    /// </summary>
    /// <returns>New options.</returns>
    public static HttpSingleFlightStrategyOptions ForTokenEndpoint() => new HttpSingleFlightStrategyOptions().UseTokenEndpoint();

    /// <summary>
    /// Sets these options up for a token endpoint (RFC 6749): only POST requests of the client credentials grant
    /// (section 4.4) are coalesced, and their responses are shared although they are <c>no-store</c>.
    /// </summary>
    /// <returns>These options.</returns>
    /// <remarks>
    /// A request takes part if its body is an <c>application/x-www-form-urlencoded</c> form with exactly one
    /// <c>grant_type=client_credentials</c>. All its fields are part of the key, decoded and in any order. A request with a
    /// <c>DPoP</c> proof bypasses, and one with a <c>client_assertion</c> of its own never equals another: give such requests a
    /// key with <see cref="HttpSingleFlightRequestExtensions.SetSingleFlightKey"/>.
    /// </remarks>
    public HttpSingleFlightStrategyOptions UseTokenEndpoint()
    {
        Methods.Clear();
        Methods.Add(HttpMethod.Post);
        ShareNoStoreResponses = true;
        IsForTokenEndpoint = true;
        return this;
    }

    IEnumerable<ValidationResult> IValidatableObject.Validate(ValidationContext validationContext)
    {
        if (ResultCloner is not null)
        {
            yield return new ValidationResult(
                "The field ResultCloner must not be set for HTTP: every caller gets a response of its own.", [nameof(ResultCloner)]);
        }

        foreach (var (name, hasNull) in new[]
        {
            (nameof(Methods), Methods.Any(static method => method is null)),
            (nameof(ExcludedHeaders), ExcludedHeaders.Any(string.IsNullOrEmpty)),
            (nameof(HarmlessHeaders), HarmlessHeaders.Any(string.IsNullOrEmpty)),
            (nameof(BypassHeaders), BypassHeaders.Any(string.IsNullOrEmpty)),
        })
        {
            if (hasNull)
            {
                yield return new ValidationResult($"The field {name} must not contain null or empty names.", [name]);
            }
        }

        if (UnsharedOutcome != UnsharedOutcome.ExecuteIndividually)
        {
            yield return new ValidationResult(
                "The field UnsharedOutcome must be ExecuteIndividually for HTTP: callers who do not share send their requests in parallel.",
                [nameof(UnsharedOutcome)]);
        }
    }

    internal override void CheckPipeline(ResiliencePipelineBuilderBase builder)
    {
        if (ResilienceHttp.IsOfAllClients(builder.Name))
        {
            throw new InvalidOperationException(
                "Single flight was added to a resilience handler in ConfigureHttpClientDefaults. That is one pipeline for all clients, which would send "
                + "the requests of one through the handlers of another. Write ConfigureHttpClientDefaults(client => client.AddSingleFlight()), of the "
                + "package Polly.SingleFlight.Extensions, which gives each client a pipeline of its own, or add the resilience handler to each client "
                + "by its name. (A client whose name is empty looks the same; give it a name.)");
        }
    }

    internal override Sharing.ResultSharing CreateSharing(
        SingleFlightGroup group, ResiliencePipelineBuilderBase builder, Telemetry.FlightTelemetry telemetry) => new HttpSharing(this, group, builder, telemetry);

    /// <summary>The default generator, which a generator of the user's may call. The strategy itself does not call it.</summary>
    private async ValueTask<object?> GenerateKeyAsync(SingleFlightKeyGeneratorArguments args)
    {
        var context = args.Context;
        if (!context.Properties.TryGetValue(ResilienceHttp.Request, out var request) || request is null)
        {
            return null;
        }

        var read = await new HttpRequestReader(this).ReadAsync(request, context.CancellationToken)
            .ConfigureAwait(context.ContinueOnCapturedContext);
        return read.Call is { } call ? request.GetSingleFlightKey() ?? new HttpRequestKeys(this).CreateFingerprint(call) : null;
    }
}
