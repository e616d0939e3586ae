using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;
using WireMock.Settings;

namespace TwoNodes;

/// <summary>A call that has arrived at the endpoint, answered or not.</summary>
internal sealed record UpstreamCall(string Region, string Node, long At);

/// <summary>The slow upstream: WireMock on a loopback port, and a record of what reaches it.</summary>
internal sealed class TokenEndpoint : IDisposable
{
    private readonly ConcurrentQueue<UpstreamCall> _calls = new();
    private readonly WireMockServer _server;
    private volatile TaskCompletionSource _allHaveAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TokenEndpoint()
    {
        _server = WireMockServer.Start(new WireMockServerSettings
        {
            Urls = ["http://127.0.0.1:0"],
            PreWireMockMiddlewareInit = app => ((IApplicationBuilder)app).Use(ArriveAsync),
        });
        _server.Given(Request.Create().WithPath("/connect/token").UsingPost()).RespondWith(Response.Create()
            .WithHeader("Cache-Control", "no-store")
            .WithBodyAsJson(static request => new
            {
                access_token = $"{request.BodyData!.BodyAsFormUrlEncoded!["region"]}/{Guid.NewGuid()}",
                token_type = "Bearer",
                expires_in = 3600,
            }));
    }

    public Uri Address => new(_server.Url!);

    /// <summary>The calls for tokens of regions since the last <see cref="BeginWave"/>.</summary>
    public IReadOnlyList<UpstreamCall> Calls => [.. _calls];

    /// <summary>Forgets the calls there were, and holds those to come.</summary>
    public void BeginWave()
    {
        _allHaveAsked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls.Clear();
    }

    /// <summary>Has calls take the time that they take. Until here a slow machine may be slow.</summary>
    public void AllHaveAsked() => _allHaveAsked.SetResult();

    public void Dispose() => _server.Dispose();

    /// <summary>Takes note before WireMock, whose log has answered requests only, and waits where a node that is killed ends the wait.</summary>
    private async Task ArriveAsync(HttpContext context, RequestDelegate next)
    {
        context.Request.EnableBuffering();
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        context.Request.Body.Position = 0;
        if (Region.All.FirstOrDefault(region => region.Name == form["region"]) is { } region)
        {
            _calls.Enqueue(new UpstreamCall(region.Name, context.Request.Headers.UserAgent.ToString(), Stopwatch.GetTimestamp()));
            await _allHaveAsked.Task.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Delay(region.Delay, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await next(context);
    }
}
