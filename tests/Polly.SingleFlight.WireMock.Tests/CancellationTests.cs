using System.Net;

namespace Polly.SingleFlight.WireMock.Tests;

/// <summary>Callers who leave before the answer, and what the server sees of it.</summary>
public sealed class CancellationTests : WireMockTest
{
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Cancel_AllCallers_ServerSeesTheAbort(string version)
    {
        var server = Start(version);
        server.AnswerTokens();
        await using var callers = new Callers(server);
        var leaves = Enumerable.Range(0, 10).Select(static _ => new CancellationTokenSource()).ToArray();
        var answers = leaves.Select(leave => callers.SendAsync(TokenRequests.Create(), leave.Token)).ToArray();
        await server.Probe.Reached(Callers.Flying, leaves.Length);
        await server.Probe.Reached(TokenServer.Arrived, 1);

        foreach (var leave in leaves)
        {
            Assert.Equal(0, server.Probe[TokenServer.Aborted]);
            await leave.CancelAsync();
        }

        await server.Probe.Reached(TokenServer.Aborted, 1);
        Assert.All(await Task.WhenAll(answers).Soon(), (answer, i) =>
            Assert.Equal(leaves[i].Token, Assert.IsType<TaskCanceledException>(answer.Error).CancellationToken));
        Assert.Single(server.Arrivals);

        // The flight is gone: a newcomer has its own call.
        server.Gate.Open();
        var next = await callers.SendAsync(TokenRequests.Create());
        Assert.Equal(HttpStatusCode.OK, next.Response?.StatusCode);
        Assert.Equal(2, server.Arrivals.Count);
    }

    [Fact]
    public async Task Cancel_AllCallersButOne_ThatOneGetsTheToken()
    {
        var server = Start();
        server.AnswerTokens();
        await using var callers = new Callers(server);
        using var leave = new CancellationTokenSource();
        var leaving = Enumerable.Range(0, 9).Select(_ => callers.SendAsync(TokenRequests.Create(), leave.Token)).ToArray();
        await server.Probe.Reached(Callers.Flying, leaving.Length);
        var staying = callers.SendAsync(TokenRequests.Create());
        await server.Probe.Reached(Callers.Flying, leaving.Length + 1);

        await leave.CancelAsync();
        Assert.All(await Task.WhenAll(leaving).Soon(), static answer => Assert.IsType<TaskCanceledException>(answer.Error));
        server.Gate.Open();

        Assert.Equal(HttpStatusCode.OK, (await staying).Response?.StatusCode);
        Assert.Single(server.Arrivals);
        Assert.Equal(0, server.Probe[TokenServer.Aborted]);
    }
}
