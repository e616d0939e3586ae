using System.Net;
using Microsoft.Extensions.Time.Testing;
using Polly.Retry;
using Polly.Timeout;

namespace Polly.SingleFlight.Extensions.Tests.Pipelines;

/// <summary>Single flight among other strategies, in one handler and in several.</summary>
public sealed class HandlerCompositionTests : ClientTest
{
    private static readonly ResiliencePropertyKey<HttpRequestMessage?> s_message = new("Resilience.Http.RequestMessage");

    [Fact]
    public async Task Send_SynchronousAndNot_ShareOneFlight()
    {
        var provider = ProvideClient(static client => client.AddSingleFlight());
        using var client = Client(provider);

        var first = (await Fly(client))[0];
        var second = Task.Factory.StartNew(
            () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, Address);
                using var response = client.Send(request);
                using var reader = new StreamReader(response.Content.ReadAsStream());
                return reader.ReadToEnd();
            },
            TaskCreationOptions.LongRunning).Soon();
        await Probe.Reached(Joined, 1);
        var third = await Join(client);
        Gate.Open();

        Assert.Equal(await first, await second);
        Assert.Equal(await first, await third);
        Assert.Equal(1, Upstream.Calls);
    }

    [Fact]
    public async Task Pipeline_WithRetryInside_IsOneLoopForAll()
    {
        using var upstream = new Upstream(Gate, static request => request.Number < 3 ? new(HttpStatusCode.ServiceUnavailable) : Ok("done"));
        var provider = Provide(services => services.AddHttpClient(Prices)
            .ConfigurePrimaryHttpMessageHandler(() => upstream)
            .AddSingleFlightHandler("retries", (pipeline, context) => pipeline
                .AddTimeout(TimeSpan.FromMinutes(1))
                .AddSingleFlight(Watched(new HttpSingleFlightStrategyOptions { Group = context.Group }))
                .AddRetry(Retries(3))));

        var callers = await Fly(Client(provider), Client(provider), Client(provider));
        Gate.Open();

        Assert.All(await Task.WhenAll(callers), static body => Assert.Equal("done", body));
        Assert.Equal(3, upstream.Calls);
    }

    [Fact]
    public async Task Handlers_OneInsideTheOther_ShareTheContext()
    {
        using var upstream = new Upstream(Gate, static request => request.Number < 3 ? new(HttpStatusCode.ServiceUnavailable) : Ok("done"));
        var messages = new List<HttpRequestMessage>();
        var provider = Provide(services => services.AddHttpClient(Prices)
            .ConfigurePrimaryHttpMessageHandler(() => upstream)
            .AddSingleFlightHandler("outer", (pipeline, context) => pipeline
                .AddSingleFlight(Watched(new HttpSingleFlightStrategyOptions { Group = context.Group }))
                .AddStrategy(_ => new Observing(seen => messages.Add(seen.Properties.GetValue(s_message, null)!)), new Plain()))
            .AddSingleFlightHandler("inner", (pipeline, context) => pipeline
                .AddRetry(Retries(2))
                .AddStrategy(_ => new Observing(seen => messages.Add(seen.Properties.GetValue(s_message, null)!)), new Plain())));

        var callers = await Fly(Client(provider), Client(provider));
        Gate.Open();

        Assert.All(await Task.WhenAll(callers), static body => Assert.Equal("done", body));
        Assert.Equal(3, upstream.Calls);
        Assert.Equal(4, messages.Count);
        Assert.Single(messages.Distinct());
    }

    /// <summary>A handler in between may send another message; the outer pipeline's next attempt must not start from that.</summary>
    [Fact]
    public async Task Handlers_WithAnotherMessageInBetween_LeaveTheOuterOnesAlone()
    {
        using var upstream = new Upstream(static request => request.Number < 2 ? new(HttpStatusCode.ServiceUnavailable) : Ok("done"));
        var outer = new List<HttpRequestMessage>();
        var provider = Provide(services => services.AddHttpClient(Prices)
            .ConfigurePrimaryHttpMessageHandler(() => upstream)
            .AddSingleFlightHandler("outer", (pipeline, _) => pipeline
                .AddRetry(Retries(1))
                .AddStrategy(_ => new Observing(seen => outer.Add(seen.Properties.GetValue(s_message, null)!)), new Plain()))
            .AddHttpMessageHandler(static () => new Rewriting())
            .AddSingleFlightHandler("inner", static (_, _) => { }));
        using var request = new HttpRequestMessage(HttpMethod.Get, Address);

        using var response = await Client(provider).SendAsync(request).Soon();

        Assert.Equal([request, request], outer);
        Assert.Equal(["/resource/rewritten", "/resource/rewritten"], upstream.Requests.Select(static sent => sent.Uri.AbsolutePath));
    }

    [Fact]
    public async Task Send_CallerThatCancels_LeavesAloneWithItsOwnToken()
    {
        using var source = new CancellationTokenSource();
        var provider = ProvideClient(static client => client.AddSingleFlight());
        using var client = Client(provider);
        var leader = client.GetStringAsync(Address, source.Token).Soon();
        await Probe.Reached(Started, 1);
        var follower = await Join(client);

        await source.CancelAsync();

        var exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);
        Assert.Equal(source.Token, exception.CancellationToken);
        Gate.Open();
        await follower;
        Assert.Equal(1, Upstream.Calls);
    }

    [Fact]
    public async Task Pipeline_WithTimeProviderAmongTheServices_GoesByIt()
    {
        var clock = new FakeTimeProvider();
        var provider = Provide(services =>
        {
            services.AddSingleton<TimeProvider>(clock);
            AddClient(services).AddSingleFlightHandler("timeout", static (pipeline, _) => pipeline.AddTimeout(TimeSpan.FromHours(1)));
        });

        var caller = Client(provider).GetStringAsync(Address).Soon();
        await Upstream.Received(1);
        clock.Advance(TimeSpan.FromHours(1));

        await Assert.ThrowsAsync<TimeoutRejectedException>(() => caller);
    }

    private static RetryStrategyOptions<HttpResponseMessage> Retries(int count) => new()
    {
        ShouldHandle = static args => new(args.Outcome.Result?.StatusCode == HttpStatusCode.ServiceUnavailable),
        MaxRetryAttempts = count,
        Delay = TimeSpan.Zero,
    };

    private HttpSingleFlightStrategyOptions Watched(HttpSingleFlightStrategyOptions options)
    {
        Watch(options);
        return options;
    }

    private sealed class Rewriting : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var other = new HttpRequestMessage(request.Method, new Uri(request.RequestUri + "/rewritten"));
            foreach (var (key, value) in request.Options)
            {
                ((IDictionary<string, object?>)other.Options)[key] = value;
            }

            return await base.SendAsync(other, cancellationToken);
        }
    }
}
