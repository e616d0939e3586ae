using Microsoft.Extensions.DependencyInjection;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.WireMock.Tests.Infrastructure;

/// <summary>Callers of a registered client with single flight for a token endpoint.</summary>
internal sealed class Callers : IAsyncDisposable
{
    public const string Flying = "flying";
    public const string Bypassed = "bypassed";
    public const string HeadersReceived = "headers received";

    private const string Client = "tokens";

    private readonly TokenServer _server;
    private readonly ServiceProvider _services;

    /// <param name="server">The server that they call.</param>
    /// <param name="addInside">Adds handlers that run within a flight.</param>
    public Callers(TokenServer server, Action<IHttpClientBuilder>? addInside = null)
    {
        _server = server;
        var services = new ServiceCollection();
        var client = services
            .AddHttpClient(Client, http => http.BaseAddress = server.Address)
            .ConfigurePrimaryHttpMessageHandler(static () => new SocketsHttpHandler { UseProxy = false })
            .AddSingleFlight(options => Watch(options.UseTokenEndpoint()));
        addInside?.Invoke(client);
        client.AddHttpMessageHandler(() => new Witness(server.Probe));
        _services = services.BuildServiceProvider();
    }

    public SingleFlightGroup Group { get; } = new();

    /// <summary>Sends so many requests, lets the server answer when all are in a flight, and returns what each of them got.</summary>
    public async Task<Answer[]> SendAllAsync(int count, Func<int, HttpRequestMessage> create)
    {
        var answers = Enumerable.Range(0, count).Select(i => Task.Run(() => SendAsync(create(i)))).ToArray();
        await Task.WhenAny(_server.Probe.Reached(Flying, count), Task.WhenAll(answers));
        Assert.Equal(count, Group.GetFlights().Sum(static flight => flight.CallerCount));
        _server.Gate.Open();
        var all = await Task.WhenAll(answers).Soon();
        Assert.Equal(0, Group.ActiveFlights);
        return all;
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken = default)
    {
        request.Version = _server.Version;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        try
        {
            var http = _services.GetRequiredService<IHttpClientFactory>().CreateClient(Client);
            var response = await http.SendAsync(request, cancellationToken).Soon();
            return new Answer(request, response, await response.Content.ReadAsStringAsync(cancellationToken), Error: null);
        }
        catch (Exception exception)
        {
            return new Answer(request, Response: null, Body: null, exception);
        }
    }

    public ValueTask DisposeAsync()
    {
        _server.Gate.Open();
        return _services.DisposeAsync();
    }

    private void Watch(HttpSingleFlightStrategyOptions options)
    {
        options.Group = Group;
        options.OnFlightStarted = _ => Hit(Flying);
        options.OnFlightJoined = _ => Hit(Flying);
        options.OnFlightBypassed = _ => Hit(Bypassed);
    }

    private ValueTask Hit(string name)
    {
        _server.Probe.Hit(name);
        return default;
    }

    /// <summary>Stands next to the network, and tells when the headers of a response are there.</summary>
    private sealed class Witness(Probe probe) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            probe.Hit(HeadersReceived);
            return response;
        }
    }
}
