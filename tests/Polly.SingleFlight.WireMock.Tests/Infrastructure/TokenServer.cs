using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using WireMock.Matchers;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;
using WireMock.Settings;

namespace Polly.SingleFlight.WireMock.Tests.Infrastructure;

/// <summary>
/// A WireMock server on a port of its own. What stands before WireMock counts requests when they arrive, because WireMock's log has
/// answered ones only; keeps every answer until the gate is open, so that everybody joins in time, however slow the machine; and
/// breaks connections, because WireMock's own faults are valid HTTP.
/// </summary>
internal sealed class TokenServer : IDisposable
{
    public const string Arrived = "arrived";
    public const string Aborted = "aborted";

    private readonly ConcurrentQueue<Arrival> _arrivals = new();
    private readonly WireMockServer _server;

    /// <param name="version">HTTP version, 1.1 or 2.0, that is spoken in clear text.</param>
    public TokenServer(string version)
    {
        Version = Version.Parse(version);
        _server = WireMockServer.Start(new WireMockServerSettings
        {
            Urls = ["http://127.0.0.1:0"],
            PreWireMockMiddlewareInit = app => ((IApplicationBuilder)app).Use(ArriveAsync),

            // WireMock's own setting UseHttp2 has no effect on addresses given as Urls.
            AdditionalServiceRegistration = services => services.Configure<KestrelServerOptions>(kestrel => kestrel.ConfigureEndpointDefaults(
                listen => listen.Protocols = Version.Major == 2 ? HttpProtocols.Http2 : HttpProtocols.Http1)),
        });
    }

    public Version Version { get; }

    public Uri Address => new(_server.Url!);

    public Gate Gate { get; } = new();

    public Probe Probe { get; } = new();

    public IReadOnlyList<Arrival> Arrivals => [.. _arrivals];

    /// <summary>What is done to a request instead of answering it.</summary>
    public Func<HttpContext, Task>? BreakOff { get; set; }

    /// <summary>Answers every request alike.</summary>
    public void AnswerAlways(int status, object body) =>
        _server.Given(Request.Create().UsingPost()).AtPriority(10).RespondWith(Respond(status).WithBodyAsJson(body));

    /// <summary>Answers with a new token for each request of the four regions, and refuses the others.</summary>
    public void AnswerTokens()
    {
        foreach (var region in TokenRequests.Regions)
        {
            _server.Given(Request.Create().UsingPost().WithBody(new FormUrlEncodedMatcher([$"region={region}"])))
                .RespondWith(Respond(StatusCodes.Status200OK).WithBodyAsJson(request => new
                {
                    access_token = $"{request.BodyData?.BodyAsFormUrlEncoded?["business"]}/{region}/{Guid.NewGuid()}",
                    token_type = "Bearer",
                    expires_in = 3600,
                }));
        }

        AnswerAlways(StatusCodes.Status400BadRequest, new { error = "invalid_request", error_description = "the region is not supported" });
    }

    /// <summary>Answers so many requests with 503, and the next ones with a token.</summary>
    public void AnswerUnavailable(int times)
    {
        const string Scenario = "unavailable";
        for (var i = 0; i < times; i++)
        {
            var mapping = _server.Given(Request.Create().UsingPost()).AtPriority(1).InScenario(Scenario);
            (i == 0 ? mapping : mapping.WhenStateIs($"{i}"))
                .WillSetStateTo($"{i + 1}")
                .RespondWith(Respond(StatusCodes.Status503ServiceUnavailable).WithBodyAsJson(new { error = "temporarily_unavailable" }));
        }

        AnswerAlways(StatusCodes.Status200OK, new { access_token = "after all", token_type = "Bearer", expires_in = 3600 });
    }

    /// <summary>Answers requests of a client, by its credentials, with a token of its own.</summary>
    public void AnswerClient(string authorization, string token) =>
        _server.Given(Request.Create().UsingPost().WithHeader("Authorization", new ExactMatcher(authorization)))
            .RespondWith(Respond(StatusCodes.Status200OK).WithBodyAsJson(new { access_token = token, token_type = "Bearer" }));

    public void Dispose()
    {
        Gate.Open();
        _server.Dispose();
    }

    private static IResponseBuilder Respond(int status) => Response.Create()
        .WithStatusCode(status)
        .WithHeader("Content-Type", "application/json")
        .WithHeader("Cache-Control", "no-store");

    private async Task ArriveAsync(HttpContext context, RequestDelegate next)
    {
        context.Request.EnableBuffering();
        using var reader = new StreamReader(context.Request.Body, leaveOpen: true);
        _arrivals.Enqueue(new Arrival(await reader.ReadToEndAsync(), context.Request.Headers.Authorization));
        context.Request.Body.Position = 0;
        Probe.Hit(Arrived);
        try
        {
            await Gate.Opened.WaitAsync(context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            Probe.Hit(Aborted);
            return;
        }

        await (BreakOff is null ? next(context) : BreakOff(context));
    }
}
