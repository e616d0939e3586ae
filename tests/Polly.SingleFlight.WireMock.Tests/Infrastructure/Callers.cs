using Microsoft.Extensions.DependencyInjection;
using Polly.Retry;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.WireMock.Tests.Infrastructure;

/// <summary>
/// Callers of a registered client with single flight for a token endpoint. No answer gets through to a flight before as many
/// callers as expected wait for one.
/// </summary>
internal sealed class Callers : IAsyncDisposable
{
    private const string Client = "tokens";
    private const string Flying = "flying";

    private readonly SingleFlightGroup _group = new();
    private readonly Probe _probe = new();
    private readonly Gate _gate = new();
    private readonly ServiceProvider _services;

    private Callers(WireMockServer server, Action<IHttpClientBuilder, Callers> addSingleFlight)
    {
        var services = new ServiceCollection();
        var client = services.AddHttpClient(Client, http => http.BaseAddress = server.Address)
            .ConfigurePrimaryHttpMessageHandler(static () => new SocketsHttpHandler { UseProxy = false });
        addSingleFlight(client, this);
        client.AddHttpMessageHandler(() => new HoldingHandler(_gate));
        _services = services.BuildServiceProvider();
    }

    /// <summary>Callers whose client has nothing but single flight.</summary>
    public static Callers Of(WireMockServer server) =>
        new(server, static (client, callers) => client.AddSingleFlight(options => callers.Watch(options.UseTokenEndpoint())));

    /// <summary>Callers whose client retries within a flight what may be better the next time.</summary>
    public static Callers WithRetryOf(WireMockServer server) =>
        new(server, static (client, callers) => client.AddSingleFlightHandler("with-retry", (pipeline, _) => pipeline
            .AddSingleFlight(callers.Watch(HttpSingleFlightStrategyOptions.ForTokenEndpoint()))
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = static args => new(args.Outcome.Result is { StatusCode: >= System.Net.HttpStatusCode.InternalServerError }),
                MaxRetryAttempts = 3,
                Delay = TimeSpan.Zero,
            })));

    /// <summary>Sends so many requests, lets answers through when all wait for one, and returns what each of them got.</summary>
    public async Task<Answer[]> SendAllAsync(int count, Func<int, HttpRequestMessage> create)
    {
        var answers = Enumerable.Range(0, count).Select(i => Task.Run(() => SendAsync(create(i)))).ToArray();
        await Task.WhenAny(_probe.Reached(Flying, count), Task.WhenAll(answers));
        Assert.Equal(count, _probe[Flying]);
        Assert.Equal(count, _group.GetFlights().Sum(static flight => flight.CallerCount));
        _gate.Open();
        var all = await Task.WhenAll(answers).Soon();
        Assert.Equal(0, _group.ActiveFlights);
        return all;
    }

    /// <summary>Sends a request when no other is under way.</summary>
    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        try
        {
            var response = await _services.GetRequiredService<IHttpClientFactory>().CreateClient(Client).SendAsync(request).Soon();
            return new Answer(request, response, await response.Content.ReadAsStringAsync(), Error: null);
        }
        catch (Exception exception)
        {
            return new Answer(request, Response: null, Body: null, exception);
        }
    }

    public ValueTask DisposeAsync()
    {
        _gate.Open();
        return _services.DisposeAsync();
    }

    private HttpSingleFlightStrategyOptions Watch(HttpSingleFlightStrategyOptions options)
    {
        options.Group = _group;
        options.OnFlightStarted = _ => Hit();
        options.OnFlightJoined = _ => Hit();
        return options;
    }

    private ValueTask Hit()
    {
        _probe.Hit(Flying);
        return default;
    }
}
