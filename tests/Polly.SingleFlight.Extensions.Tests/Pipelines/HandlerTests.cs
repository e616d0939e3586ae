namespace Polly.SingleFlight.Extensions.Tests.Pipelines;

/// <summary>How request and context go through a handler.</summary>
public sealed class HandlerTests : ClientTest
{
    private static readonly ResiliencePropertyKey<HttpRequestMessage?> s_message = new("Resilience.Http.RequestMessage");
    private static readonly HttpRequestOptionsKey<ResilienceContext?> s_context = new("Resilience.Http.ResilienceContext");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_InPipeline_CarriesContextAndRequest(bool isSynchronous)
    {
        Gate.Open();
        ResilienceContext? sentIn = null;
        HttpRequestMessage? sent = null;
        using var request = new HttpRequestMessage(HttpMethod.Get, Address);
        var provider = ProvideClient(client => client
            .AddSingleFlightHandler("pipeline", static (_, _) => { })
            .AddHttpMessageHandler(() => new StubHandler(message =>
            {
                Assert.True(message.Options.TryGetValue(s_context, out sentIn));
                sent = sentIn!.Properties.GetValue(s_message, null);
            })));

        using var response = await Send(Client(provider), request, isSynchronous);

        Assert.NotNull(sentIn);
        Assert.Same(request, sent);
        Assert.DoesNotContain(request.Options, static option => option.Key.StartsWith("Resilience", StringComparison.Ordinal));
    }

    /// <summary>As hedging does: a message and a context of its own for an attempt.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_StrategyThatReplacesMessageAndContext_SendsThatOneWithThatContext(bool isSynchronous)
    {
        Gate.Open();
        using var other = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, "other"));
        ResilienceContext? replaced = null, sentIn = null;
        var provider = ProvideClient(client => client
            .AddSingleFlightHandler("pipeline", (pipeline, _) => pipeline.AddStrategy(
                _ => new Replacing(other, context => replaced = context), new Plain()))
            .AddHttpMessageHandler(() => new StubHandler(message =>
            {
                Assert.Same(other, message);
                Assert.True(message.Options.TryGetValue(s_context, out sentIn));
            })));
        using var request = new HttpRequestMessage(HttpMethod.Get, Address);

        using var response = await Send(Client(provider), request, isSynchronous);

        Assert.NotNull(sentIn);
        Assert.Same(replaced, sentIn);
        Assert.Empty(request.Options);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_RequestWithContext_IsExecutedOnThatOneWithItsToken(bool isSynchronous)
    {
        Gate.Open();
        using var source = new CancellationTokenSource();
        var context = ResilienceContextPool.Shared.Get("GetPrices", source.Token);
        var tokens = new List<CancellationToken>();
        using var request = new HttpRequestMessage(HttpMethod.Get, Address);
        request.Options.Set(s_context, context);
        var provider = ProvideClient(client => client.AddSingleFlightHandler("pipeline", (pipeline, _) => pipeline.AddStrategy(
            _ => new Observing(seen =>
            {
                Assert.Same(context, seen);
                tokens.Add(seen.CancellationToken);
            }),
            new Plain())));

        using var response = await Send(Client(provider), request, isSynchronous);

        Assert.Equal([source.Token], tokens);
        Assert.True(request.Options.TryGetValue(s_context, out var left));
        Assert.Same(context, left);
        Assert.Equal("GetPrices", context.OperationKey);       // not returned to the pool, which would have cleared it
        ResilienceContextPool.Shared.Return(context);
    }

    [Fact]
    public async Task Send_RequestWithContext_FliesOnAContextOfItsOwn()
    {
        var context = ResilienceContextPool.Shared.Get("GetPrices");
        ResilienceContext? inside = null;
        using var request = new HttpRequestMessage(HttpMethod.Get, Address);
        request.Options.Set(s_context, context);
        var provider = ProvideClient(client => client.AddSingleFlight()
            .AddHttpMessageHandler(() => new StubHandler(message =>
            {
                Assert.NotSame(request, message);
                Assert.True(message.Options.TryGetValue(s_context, out inside));
                Assert.Same(message, inside!.Properties.GetValue(s_message, null));
                Assert.Equal("GetPrices", inside.OperationKey);
            })));
        using var client = Client(provider);

        var first = client.SendAsync(request).Soon();
        await Probe.Reached(Started, 1);
        var second = await Join(client);
        Gate.Open();

        using var response = await first;
        Assert.Same(request, response.RequestMessage);
        Assert.Equal(await second, await response.Content.ReadAsStringAsync());
        Assert.NotSame(context, inside);
        Assert.Equal(SingleFlightRole.Leader, context.GetSingleFlightResult()!.Role);
        Assert.Same(request, context.Properties.GetValue(s_message, null));
        ResilienceContextPool.Shared.Return(context);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_UpstreamThatThrows_KeepsExceptionAndStack(bool isSynchronous)
    {
        var thrown = new HttpRequestException("connection refused");
        var provider = Provide(services => services.AddHttpClient(Prices)
            .ConfigurePrimaryHttpMessageHandler(static () => new SocketsHttpHandler())
            .AddSingleFlightHandler("pipeline", static (_, _) => { })
            .AddHttpMessageHandler(() => new StubHandler(_ => ThrowFromUpstream(thrown))));

        using var request = new HttpRequestMessage(HttpMethod.Get, Address);
        var exception = await Assert.ThrowsAsync<HttpRequestException>(() => Send(Client(provider), request, isSynchronous));

        Assert.Same(thrown, exception);
        Assert.Contains(nameof(ThrowFromUpstream), exception.StackTrace, StringComparison.Ordinal);
        Assert.DoesNotContain(request.Options, static option => option.Key.StartsWith("Resilience", StringComparison.Ordinal));
    }

    private static void ThrowFromUpstream(Exception exception) => throw exception;

    private static async Task<HttpResponseMessage> Send(HttpClient client, HttpRequestMessage request, bool isSynchronous) =>
        isSynchronous ? client.Send(request) : await client.SendAsync(request).Soon();

    private sealed class Replacing(HttpRequestMessage message, Action<ResilienceContext> see) : ResilienceStrategy<HttpResponseMessage>
    {
        protected override async ValueTask<Outcome<HttpResponseMessage>> ExecuteCore<TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<HttpResponseMessage>>> callback, ResilienceContext context, TState state)
        {
            var own = ResilienceContextPool.Shared.Get(context.CancellationToken);
            own.Properties.Set(s_message, message);
            see(own);
            var outcome = await callback(own, state);
            ResilienceContextPool.Shared.Return(own);
            return outcome;
        }
    }
}
