using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight.Http;

/// <summary>
/// Options of the single flight strategy for pipelines of <see cref="HttpResponseMessage"/>: concurrent equal requests become
/// one, and every caller gets a response of its own.
/// </summary>
/// <remarks>
/// <para>
/// The defaults are safe for any <see cref="HttpClient"/>: a response is shared only if RFC 9111, section 4, and the headers of
/// both sides leave no doubt that it is meant for every one of those requests. In doubt everybody sends its own.
/// </para>
/// <para>
/// <see cref="SingleFlightStrategyOptions{TResult}.ShouldShare"/> can restrict sharing further. It is asked when the body is in
/// memory, on a copy of the response that is disposed afterwards.
/// <see cref="SingleFlightStrategyOptions{TResult}.ResultCloner"/> and
/// <see cref="SingleFlightStrategyOptions{TResult}.UnsharedOutcome"/> are refused: every caller has its own copy anyway, and
/// callers who do not share send their requests in parallel.
/// </para>
/// <para>The values are read when the pipeline is built; changing them later has no effect on pipelines already built.</para>
/// </remarks>
public class HttpSingleFlightStrategyOptions : SingleFlightStrategyOptions<HttpResponseMessage>, IValidatableObject
{
    /// <summary>The largest array that the runtime makes.</summary>
    private const int LargestArray = 0x7FFFFFC7;

    /// <summary>Initializes a new instance of the <see cref="HttpSingleFlightStrategyOptions"/> class.</summary>
    public HttpSingleFlightStrategyOptions() => KeyGenerator = GenerateKeyAsync;

    /// <summary>
    /// Gets the methods whose requests may be coalesced. GET and HEAD take part only without a body, others only if their body
    /// is in memory, see <see cref="MaxRequestBodyBytes"/>.
    /// </summary>
    /// <value>
    /// The default is GET and HEAD. A method that is added must be safe to send once for several callers. A PUT, POST, PATCH
    /// or DELETE that is not in the set makes newcomers for its URI start afresh.
    /// </value>
    public ISet<HttpMethod> Methods { get; } = new HashSet<HttpMethod> { HttpMethod.Get, HttpMethod.Head };

    /// <summary>
    /// Gets the names of the request headers in which requests may differ and still be coalesced. Every other header is part of
    /// the key, so that <c>Vary</c>, credentials, ranges, conditions and tenants are right by construction.
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
    /// Gets the names of the request headers whose presence keeps a request from being coalesced.
    /// </summary>
    /// <value>The default is <c>Upgrade</c>, <c>Expect</c> and <c>DPoP</c> (RFC 9449). Upper and lower case do not differ.</value>
    public ISet<string> BypassHeaders { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "Upgrade", "Expect", "DPoP" };

    /// <summary>
    /// Gets or sets a function that gives a further part of the key for what the request does not show: a tenant, a user, a
    /// client certificate, the cookies of a <see cref="System.Net.CookieContainer"/>.
    /// </summary>
    /// <value>
    /// The default is <see langword="null"/>: the request says it all. Values are compared with
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
    /// Gets or sets a value indicating whether a response is kept from the others when the request was sent with credentials that were not
    /// in the key, because a handler inside the pipeline added them.
    /// </summary>
    /// <value>
    /// The default is <see langword="true"/>. Looked for are <c>Authorization</c>, <c>Proxy-Authorization</c>, <c>Cookie</c>,
    /// <c>DPoP</c>, <c>X-Api-Key</c> and <c>Api-Key</c>. The event <c>OnCredentialGuard</c> (Warning) is reported once per strategy.
    /// </value>
    public bool GuardCredentials { get; set; } = true;

    /// <summary>
    /// Gets or sets how long it is remembered that the responses to a request cannot be shared, so that callers do not wait for
    /// them in vain. At most 1024 requests are remembered.
    /// </summary>
    /// <value>
    /// Zero or more; zero turns it off. The default is 30 seconds, on the builder's
    /// <see cref="ResiliencePipelineBuilderBase.TimeProvider"/>. Responses with status 429 and 5xx are never remembered.
    /// </value>
    [NotNegative]
    public TimeSpan UnshareableMemory { get; set; } = TimeSpan.FromSeconds(30);

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

    internal override Sharing.ResultSharing CreateSharing(SingleFlightGroup group, TimeProvider clock) => new HttpSharing(this, group, clock);

    /// <summary>The default generator, callable by users who build their own upon it; the strategy itself does without it.</summary>
    private async ValueTask<object?> GenerateKeyAsync(SingleFlightKeyGeneratorArguments args)
    {
        var context = args.Context;
        if (!context.Properties.TryGetValue(ResilienceHttp.Request, out var request) || request is null)
        {
            return null;
        }

        var intake = await new HttpIntake(this).TakeDownAsync(request, context.CancellationToken)
            .ConfigureAwait(context.ContinueOnCapturedContext);
        return intake.Call is { } call ? request.GetSingleFlightKey() ?? new HttpRequestKeys(this).Create(call) : null;
    }
}
