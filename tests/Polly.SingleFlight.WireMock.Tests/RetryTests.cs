using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;

namespace Polly.SingleFlight.WireMock.Tests;

/// <summary>Microsoft's resilience handler inside single flight: one retry loop for all callers.</summary>
public sealed class RetryTests : WireMockTest
{
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Send_UnavailableTwice_ThreeCallsForEverybodyEachWithTheWholeForm(string version)
    {
        var server = Start(version);
        server.AnswerUnavailable(times: 2);
        await using var callers = new Callers(server, AddRetry);

        var answers = await callers.SendAllAsync(100, static _ => TokenRequests.Create());

        Assert.All(answers, static answer => Assert.Equal(HttpStatusCode.OK, answer.Response?.StatusCode));
        Assert.All(answers, static answer => Assert.Contains("\"after all\"", answer.Body, StringComparison.Ordinal));
        Assert.Equal([TokenRequests.Form, TokenRequests.Form, TokenRequests.Form], server.Arrivals.Select(static arrival => arrival.Body));
    }

    [Fact]
    public async Task Send_UnavailableForLongerThanTheRetries_TheLastAnswerForEverybody()
    {
        var server = Start();
        server.AnswerAlways(503, new { error = "temporarily_unavailable" });
        await using var callers = new Callers(server, AddRetry);

        var answers = await callers.SendAllAsync(100, static _ => TokenRequests.Create());

        Assert.All(answers, static answer => Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Response?.StatusCode));
        Assert.All(answers, static answer => Assert.Contains("\"temporarily_unavailable\"", answer.Body, StringComparison.Ordinal));
        Assert.Equal(4, server.Arrivals.Count);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Send_ConnectionClosedOnce_TwoCallsAndATokenForEverybody(string version)
    {
        var server = Start(version);
        server.AnswerTokens();
        server.BreakOff = context =>
        {
            server.BreakOff = null;
            context.Abort();
            return Task.CompletedTask;
        };
        await using var callers = new Callers(server, AddRetry);

        var answers = await callers.SendAllAsync(100, static _ => TokenRequests.Create());

        Assert.All(answers, static answer => Assert.Equal(HttpStatusCode.OK, answer.Response?.StatusCode));
        Assert.Equal([TokenRequests.Form, TokenRequests.Form], server.Arrivals.Select(static arrival => arrival.Body));
    }

    [Fact]
    public async Task Send_LeaderLeavesBeforeTheRetry_TheOthersGetTheAnswerToTheWholeForm()
    {
        var server = Start();
        server.AnswerUnavailable(times: 1);
        await using var callers = new Callers(server, AddRetry);
        using var leave = new CancellationTokenSource();
        var request = TokenRequests.Create();
        var leader = callers.SendAsync(request, leave.Token);
        await server.Probe.Reached(TokenServer.Arrived, 1);
        var others = Enumerable.Range(0, 9).Select(_ => callers.SendAsync(TokenRequests.Create())).ToArray();
        await server.Probe.Reached(Callers.Flying, 10);

        await leave.CancelAsync();
        Assert.IsType<TaskCanceledException>((await leader).Error);
        request.Dispose();
        server.Gate.Open();

        Assert.All(await Task.WhenAll(others).Soon(), static answer => Assert.Equal(HttpStatusCode.OK, answer.Response?.StatusCode));
        Assert.Equal([TokenRequests.Form, TokenRequests.Form], server.Arrivals.Select(static arrival => arrival.Body));
        Assert.Equal(0, server.Probe[TokenServer.Aborted]);
    }

    private static void AddRetry(IHttpClientBuilder client) => client.AddResilienceHandler("retry", static pipeline =>
        pipeline.AddRetry(new HttpRetryStrategyOptions { MaxRetryAttempts = 3, Delay = TimeSpan.Zero }));
}
