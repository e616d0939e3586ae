using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Handlers that are replaced while they are used, and callers that block their thread.</summary>
public sealed class HandlerTests : HttpTest
{
    [Fact]
    public async Task Rotation_TwoHandlersOfOnePipeline_ShareAFlightAndTheOldOneMayGo()
    {
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            await Gate.Opened;
            await context.Response.WriteAsync("answer");
        }));
        var pipeline = Pipeline();
        var (old, fresh) = (Client(Sockets(), pipeline), Client(Sockets(), pipeline));
        var callers = await Start(6, i => (i < 3 ? old : fresh).SendAsync(Get(server.Address)));
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("answer", body));
        Assert.Equal(1, server.Calls);
        old.Dispose();
        Assert.Equal("answer", await Body(fresh.GetAsync(server.Address)));
    }

    [Fact]
    public async Task Rotation_LeadersHandlerIsDisposedMidFlight_FlightEndsWell()
    {
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            await Gate.Opened;
            await context.Response.WriteAsync("answer");
        }));
        var pipeline = Pipeline();
        var sockets = Sockets();
        var old = Client(sockets, pipeline, disposeHandler: false);
        var fresh = Client(Sockets(), pipeline);
        var callers = await Start(4, i => (i == 0 ? old : fresh).SendAsync(Get(server.Address)));
        await server.Probe.Reached(TestServer.Called, 1);

        sockets.Dispose();
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("answer", body));
        Assert.Equal(1, server.Calls);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_MixedWithSendAsync_IsOneCall(bool syncLeads)
    {
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            await Gate.Opened;
            await context.Response.WriteAsync("answer");
        }));
        var client = Client(Sockets());
        var callers = await Start(8, i => i % 2 == 0 == syncLeads ? SendOnThread(client, Get(server.Address)) : client.SendAsync(Get(server.Address)));
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("answer", body));
        Assert.Equal(1, server.Calls);
    }

    [Fact]
    public async Task Send_UnshareableAnswer_EveryThreadGetsItsOwn()
    {
        var calls = 0;
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            var call = Interlocked.Increment(ref calls);
            await Gate.Opened;
            context.Response.Headers.SetCookie = "a=b";
            await context.Response.WriteAsync("answer " + call);
        }));
        var client = Client(Sockets());
        var callers = await Start(4, _ => SendOnThread(client, Get(server.Address)));
        Gate.Open();

        Assert.Equal(["answer 1", "answer 2", "answer 3", "answer 4"], (await Bodies(callers)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Send_BodyOfAFollower_CanBeReadSynchronously()
    {
        var upstream = new Upstream(Gate, static _ => Ok("answer"));
        var client = Client(upstream);
        var callers = await Start(3, _ => SendOnThread(client, Get(), HttpCompletionOption.ResponseHeadersRead));
        Gate.Open();

        foreach (var caller in callers)
        {
            using var response = await caller;
            using var reader = new StreamReader(response.Content.ReadAsStream());
            Assert.Equal("answer", reader.ReadToEnd());
        }
    }

    private static Task<HttpResponseMessage> SendOnThread(
        HttpClient client, HttpRequestMessage request, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        var result = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                result.SetResult(client.Send(request, completion));
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        })
        {
            IsBackground = true,
        }.Start();
        return result.Task;
    }
}
