using System.Net;
using Microsoft.Extensions.Http.Resilience;
using Polly.Telemetry;

namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>The base of tests that fly over HTTP: clients with a pipeline over any primary handler, and callers that are known to have joined.</summary>
public abstract class HttpTest : FlightTest
{
    public static readonly Uri Address = new("http://upstream.test/resource");

    private readonly List<IAsyncDisposable> _servers = [];
    private readonly List<IDisposable> _clients = [];

    /// <summary>What most tests hold their upstream with.</summary>
    public Gate Gate { get; } = new();

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        lock (_clients)
        {
            _clients.ForEach(static client => client.Dispose());
        }

        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        await base.DisposeAsync();
    }

    public HttpSingleFlightStrategyOptions Options(Action<HttpSingleFlightStrategyOptions>? configure = null)
    {
        var options = Watched(new HttpSingleFlightStrategyOptions());
        configure?.Invoke(options);
        return options;
    }

    public HttpSingleFlightStrategyOptions PostOptions() => Options(static options => options.Methods.Add(HttpMethod.Post));

    public ResiliencePipeline<HttpResponseMessage> Pipeline(
        HttpSingleFlightStrategyOptions? options = null,
        Action<ResiliencePipelineBuilder<HttpResponseMessage>>? outside = null,
        Action<ResiliencePipelineBuilder<HttpResponseMessage>>? inside = null,
        TelemetryListener? listener = null)
    {
        var builder = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = Clock, TelemetryListener = listener };
        outside?.Invoke(builder);
        builder.AddSingleFlight(options ?? Options());
        inside?.Invoke(builder);
        return builder.Build();
    }

    /// <summary>A client whose resilience handler has these handlers inside, the last of them the primary one.</summary>
    public HttpClient Client(
        HttpMessageHandler primary,
        ResiliencePipeline<HttpResponseMessage>? pipeline = null,
        bool disposeHandler = true,
        params DelegatingHandler[] inside)
    {
        var handler = new ResilienceHandler(pipeline ?? Pipeline()) { InnerHandler = Chain(inside, primary) };
        return Track(new HttpClient(handler, disposeHandler) { Timeout = System.Threading.Timeout.InfiniteTimeSpan });
    }

    /// <summary>A client without a resilience handler, to compare with.</summary>
    public HttpClient PlainClient(HttpMessageHandler primary) => Track(new HttpClient(primary) { Timeout = TimeSpan.FromSeconds(30) });

    public static HttpMessageHandler Chain(IEnumerable<DelegatingHandler> outer, HttpMessageHandler primary) =>
        outer.Reverse().Aggregate(primary, static (inner, handler) =>
        {
            handler.InnerHandler = inner;
            return handler;
        });

    /// <summary>A handler for real connections, which never go through a proxy and keep no cookies.</summary>
    public static SocketsHttpHandler Sockets(DecompressionMethods decompression = DecompressionMethods.None) =>
        new() { UseProxy = false, UseCookies = false, AutomaticDecompression = decompression };

    /// <summary>The same for servers that close every connection without saying so: one connection per request.</summary>
    public static SocketsHttpHandler SingleUseSockets() =>
        new() { UseProxy = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.Zero };

    public T Track<T>(T disposable)
        where T : IDisposable
    {
        lock (_clients)
        {
            _clients.Add(disposable);
        }

        return disposable;
    }

    public T Serve<T>(T server)
        where T : IAsyncDisposable
    {
        _servers.Add(server);
        return server;
    }

    public static HttpRequestMessage Get(Uri? uri = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, uri ?? Address);
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        return request;
    }

    public static HttpRequestMessage Post(string body, Uri? uri = null) =>
        new(HttpMethod.Post, uri ?? Address) { Content = new StringContent(body) };

    public static HttpResponseMessage Ok(string body) => new(HttpStatusCode.OK) { Content = new StringContent(body) };

    public static HttpResponseMessage Ok(HttpContent body) => new(HttpStatusCode.OK) { Content = body };

    /// <summary>Starts so many callers and returns when the first leads and the others have joined.</summary>
    public async Task<Task<HttpResponseMessage>[]> Start(int count, Func<int, Task<HttpResponseMessage>> send)
    {
        var (started, joined) = (Probe[Started], Probe[Joined]);
        var callers = new Task<HttpResponseMessage>[count];
        for (var i = 0; i < count; i++)
        {
            callers[i] = send(i).Soon();
            await (i == 0 ? Probe.Reached(Started, started + 1) : Probe.Reached(Joined, joined + i));
        }

        return callers;
    }

    /// <summary>Starts so many callers who do not meet: every one leads a flight of its own.</summary>
    public async Task<Task<HttpResponseMessage>[]> StartApart(int count, Func<int, Task<HttpResponseMessage>> send)
    {
        var started = Probe[Started];
        var callers = new Task<HttpResponseMessage>[count];
        for (var i = 0; i < count; i++)
        {
            callers[i] = send(i).Soon();
            await Probe.Reached(Started, started + i + 1);
        }

        return callers;
    }

    /// <summary>The same for one client and equal requests.</summary>
    public Task<Task<HttpResponseMessage>[]> Start(
        HttpClient client,
        int count,
        Func<HttpRequestMessage>? request = null,
        HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead) =>
        Start(count, _ => client.SendAsync(request?.Invoke() ?? Get(), completion));

    public static async Task<string[]> Bodies(IEnumerable<Task<HttpResponseMessage>> callers)
    {
        var bodies = new List<string>();
        foreach (var caller in callers)
        {
            bodies.Add(await Body(caller));
        }

        return [.. bodies];
    }

    public static async Task<string> Body(Task<HttpResponseMessage> caller)
    {
        using var response = await caller;
        return await response.Content.ReadAsStringAsync().Soon();
    }
}
