using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using WireMock.Matchers;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;
using WireMock.Settings;

namespace HttpClientDemo;

/// <summary>The slow upstream: WireMock on a loopback port, with tokens for an hour, and a count of what reaches it.</summary>
internal sealed class TokenEndpoint : IDisposable
{
    private const string Failing = "failing";

    private readonly ConcurrentDictionary<string, int> _arrivals = new();
    private readonly DemoOptions _options;
    private readonly WireMockServer _server;

    public TokenEndpoint(DemoOptions options)
    {
        _options = options;
        _server = WireMockServer.Start(new WireMockServerSettings
        {
            Urls = ["http://127.0.0.1:0"],
            PreWireMockMiddlewareInit = app => ((IApplicationBuilder)app).Use(ArriveAsync),
        });
        foreach (var region in Region.Supported)
        {
            // The region's next request is refused after FailOnce; WireMock calls such a memory a scenario.
            _server.Given(TokenRequest(region.Name)).AtPriority(1).InScenario(region.Name).WhenStateIs(Failing).WillSetStateTo("well")
                .RespondWith(Answer(StatusCodes.Status503ServiceUnavailable, static _ => new { error = "temporarily_unavailable" }));

            _server.Given(TokenRequest(region.Name)).AtPriority(2)
                .RespondWith(Answer(StatusCodes.Status200OK, form => new
                {
                    access_token = $"{form["business"]}/{region.Name}/{Guid.NewGuid()}",
                    token_type = "Bearer",
                    expires_in = 3600,
                }));
        }

        _server.Given(Request.Create().WithPath("/*")).AtPriority(3)
            .RespondWith(Answer(StatusCodes.Status400BadRequest, static form => new
            {
                error = "invalid_request",
                error_description = $"the region '{form["region"]}' is not supported",
            }));
    }

    public Uri Address => new(_server.Url!);

    /// <summary>Sends a request, so that the callers of the first wave do not wait for code to be compiled.</summary>
    public async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var form = new FormUrlEncodedContent([new("region", "")]);
        using var response = await http.PostAsync(Address, form, cancellationToken);
    }

    /// <summary>How many requests for the region have arrived, answered or not.</summary>
    public int CallsFor(Region region) => _arrivals.GetValueOrDefault(region.Name);

    /// <summary>Makes the endpoint answer the next request for the region with 503.</summary>
    public void FailOnce(Region region) => _server.SetScenarioState(region.Name, Failing);

    public void Dispose() => _server.Dispose();

    private static IRequestBuilder TokenRequest(string region) =>
        Request.Create().WithPath("/connect/token").UsingPost().WithBody(new FormUrlEncodedMatcher([$"region={region}"]));

    private static IResponseBuilder Answer(int status, Func<IDictionary<string, string>, object> body) => Response.Create()
        .WithStatusCode(status)
        .WithHeader("Content-Type", "application/json")
        .WithHeader("Cache-Control", "no-store")
        .WithBodyAsJson(request => body(request.BodyData!.BodyAsFormUrlEncoded!));

    /// <summary>Counts before WireMock, whose log has answered requests only, and waits where a caller who hangs up ends the wait.</summary>
    private async Task ArriveAsync(HttpContext context, RequestDelegate next)
    {
        context.Request.EnableBuffering();
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        context.Request.Body.Position = 0;
        var name = form["region"].ToString();
        _arrivals.AddOrUpdate(name, 1, static (_, calls) => calls + 1);
        var region = Region.Supported.Append(Region.Unsupported).FirstOrDefault(region => region.Name == name);
        await Task.Delay(_options.Scale(region?.Delay ?? TimeSpan.Zero), context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await next(context);
    }
}
