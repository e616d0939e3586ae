using System.Net;
using Microsoft.AspNetCore.Http;
using Polly.Retry;
using Polly.Timeout;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Callers who leave, with all that is theirs.</summary>
public sealed class DepartureTests : HttpTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Leader_TimesOutAndDisposesAllItHas_OthersGetTheAnswerToARetriedBody(bool handlerToo)
    {
        var calls = 0;
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync();
            if (Interlocked.Increment(ref calls) == 1)
            {
                await Gate.Opened;
                context.Response.StatusCode = 503;
            }

            await context.Response.WriteAsync("got " + body);
        }));
        var shared = Track(Sockets());
        var impatient = Client(
            handlerToo ? Sockets() : shared,
            Pipeline(PostOptions(), outside: static builder => builder.AddTimeout(TimeSpan.FromSeconds(1)), inside: Retry),
            disposeHandler: handlerToo);
        var patient = Client(shared, Pipeline(PostOptions(), inside: Retry), disposeHandler: false);
        var request = Post("the body", server.Address);
        var callers = await Start(5, i => i == 0 ? impatient.SendAsync(request) : patient.SendAsync(Post("the body", server.Address)));
        await server.Probe.Reached(TestServer.Called, 1);

        Clock.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<TimeoutRejectedException>(() => callers[0]);
        request.Dispose();
        impatient.Dispose();
        Gate.Open();

        Assert.All(await Bodies(callers[1..]), static body => Assert.Equal("got the body", body));
        Assert.All(callers[1..], static caller => Assert.Equal(HttpStatusCode.OK, caller.Result.StatusCode));
        Assert.Equal(2, server.Calls);
    }

    [Fact]
    public async Task Leader_CancelledWithItsOwnToken_LeavesAtOnceAndOthersStay()
    {
        var upstream = new Upstream(Gate, static _ => Ok("answer"));
        var client = Client(upstream);
        using var source = new CancellationTokenSource();
        var callers = await Start(3, i => client.SendAsync(Get(), i == 0 ? source.Token : default));

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => callers[0]);
        Gate.Open();
        Assert.Equal(["answer", "answer"], await Bodies(callers[1..]));
        Assert.Equal(1, upstream.Calls);
    }

    [Fact]
    public async Task ClientDisposed_WithPendingCalls_OnlyItsOwnCallersAreCancelled()
    {
        var shared = Track(new Upstream(Gate, static _ => Ok("answer")));
        var pipeline = Pipeline();
        var mine = Client(shared, pipeline, disposeHandler: false);
        var others = Client(shared, pipeline, disposeHandler: false);
        var callers = await Start(4, i => (i < 2 ? mine : others).SendAsync(Get()));

        mine.Dispose();

        foreach (var caller in callers[..2])
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        }

        Gate.Open();
        Assert.Equal(["answer", "answer"], await Bodies(callers[2..]));
        Assert.Equal(1, shared.Calls);
    }

    [Fact]
    public async Task AllCallers_Cancel_ServerSeesTheAbort()
    {
        var server = Serve(await TestServer.StartAsync(async context => await Gate.Opened.WaitAsync(context.RequestAborted)));
        var client = Client(Sockets());
        using var source = new CancellationTokenSource();
        var callers = await Start(5, _ => client.SendAsync(Get(server.Address), source.Token));
        await server.Probe.Reached(TestServer.Called, 1);

        await source.CancelAsync();

        foreach (var caller in callers)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        }

        await server.Probe.Reached(TestServer.Aborted, 1);
        Assert.Equal(1, server.Calls);
        Assert.Equal(1, Probe[Abandoned]);
    }

    [Fact]
    public async Task SomeCallers_Cancel_ServerSeesNoAbort()
    {
        var server = Serve(await TestServer.StartAsync(async context =>
        {
            await Gate.Opened.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync("answer");
        }));
        var client = Client(Sockets());
        using var source = new CancellationTokenSource();
        var callers = await Start(5, i => client.SendAsync(Get(server.Address), i < 4 ? source.Token : default));

        await source.CancelAsync();
        foreach (var caller in callers[..4])
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        }

        Gate.Open();
        Assert.Equal("answer", await Body(callers[4]));
        Assert.Equal((1, 0), (server.Calls, server.Probe[TestServer.Aborted]));
    }

    [Fact]
    public async Task Leader_LostWithItsHandler_OneOfTheOthersIsElected()
    {
        var first = new Upstream(Gate, static _ => Ok("busy").Status(HttpStatusCode.ServiceUnavailable));
        var second = new Upstream(static _ => Ok("answer"));
        var pipeline = Pipeline(inside: Retry);
        var gone = Client(first, pipeline);
        var others = Client(second, pipeline);
        using var source = new CancellationTokenSource();
        var callers = await Start(5, i => i == 0 ? gone.SendAsync(Get(), source.Token) : others.SendAsync(Get()));
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => callers[0]);
        gone.Dispose();

        Gate.Open();

        Assert.All(await Bodies(callers[1..]), static body => Assert.Equal("answer", body));
        Assert.Equal((1, 1), (first.Calls, second.Calls));
    }

    [Fact]
    public async Task Leader_IsThere_ObjectDisposedExceptionIsShared()
    {
        var upstream = new Upstream(Gate, static _ => throw new ObjectDisposedException("connection"));
        var client = Client(upstream);
        var callers = await Start(3, _ => client.SendAsync(Get()));
        Gate.Open();

        foreach (var caller in callers)
        {
            await Assert.ThrowsAsync<ObjectDisposedException>(() => caller);
        }

        Assert.Equal(1, upstream.Calls);
    }

    private static void Retry(ResiliencePipelineBuilder<HttpResponseMessage> builder) =>
        builder.AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            ShouldHandle = static args => new(args.Outcome.Result?.StatusCode == HttpStatusCode.ServiceUnavailable),
            Delay = TimeSpan.Zero,
        });
}
