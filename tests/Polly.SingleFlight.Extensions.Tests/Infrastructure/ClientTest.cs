using System.Net;

namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>
/// The base of tests with clients of a factory: an upstream that answers when <see cref="Gate"/> is open, callers that are known to
/// have joined, and after each test no flight is left and nothing went unobserved.
/// </summary>
public abstract class ClientTest : IAsyncLifetime
{
    internal const string Started = "started";
    internal const string Joined = "joined";
    internal const string Bypassed = "bypassed";
    internal const string Prices = "prices";

    internal static readonly Uri Address = new("http://upstream.test/resource");

    private readonly List<ServiceProvider> _providers = [];
    private readonly List<SingleFlightGroup> _groups = [];
    private int _bodies;

    protected ClientTest() => Upstream = new Upstream(Gate, request => Ok($"answer {Interlocked.Increment(ref _bodies)} to {request.Uri}"));

    internal Gate Gate { get; } = new();

    internal Upstream Upstream { get; }

    internal Probe Probe { get; } = new();

    internal RecordingLogs Logs { get; } = new();

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Upstream.Dispose();
        foreach (var provider in _providers)
        {
            await provider.DisposeAsync();
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        lock (_groups)
        {
            Assert.All(_groups, static group => Assert.Equal(0, group.ActiveFlights));
        }

        var faults = Faults.Take();
        Assert.True(faults is [], string.Join(Environment.NewLine, faults));
    }

    internal static HttpResponseMessage Ok(string body) => new(HttpStatusCode.OK) { Content = new StringContent(body) };

    /// <summary>A provider with logs, and with options whose events are counted whatever their name.</summary>
    internal ServiceProvider Provide(Action<IServiceCollection> configure, bool validateScopes = true)
    {
        var services = new ServiceCollection();
        AddBasics(services);
        configure(services);
        var provider = services.BuildServiceProvider(validateScopes);
        _providers.Add(provider);
        return provider;
    }

    internal void AddBasics(IServiceCollection services)
    {
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(Logs));
        services.ConfigureAll<HttpSingleFlightStrategyOptions>(Watch);
        services.PostConfigureAll<HttpSingleFlightStrategyOptions>(options =>
        {
            if (options.Group is { } group)
            {
                Track(group);
            }
        });
    }

    internal void Watch(HttpSingleFlightStrategyOptions options)
    {
        options.OnFlightStarted += _ => Hit(Started);
        options.OnFlightJoined += _ => Hit(Joined);
        options.OnFlightBypassed += _ => Hit(Bypassed);
    }

    internal void Track(SingleFlightGroup group)
    {
        lock (_groups)
        {
            _groups.Add(group);
        }
    }

    /// <summary>A client over <see cref="Upstream"/>, which outlives its handlers.</summary>
    internal IHttpClientBuilder AddClient(IServiceCollection services, string name = Prices) =>
        services.AddHttpClient(name).ConfigurePrimaryHttpMessageHandler(() => new Forward(Upstream));

    internal ServiceProvider ProvideClient(Action<IHttpClientBuilder> configure) => Provide(services => configure(AddClient(services)));

    internal static HttpClient Client(IServiceProvider services, string name = Prices) =>
        services.GetRequiredService<IHttpClientFactory>().CreateClient(name);

    internal static HttpSingleFlightStrategyOptions OptionsOf(IServiceProvider services, string name = Prices) =>
        services.GetRequiredService<IOptionsMonitor<HttpSingleFlightStrategyOptions>>().Get(name);

    /// <summary>Sends one request per client, and returns when the first leads and the others have joined.</summary>
    internal async Task<Task<string>[]> Fly(params HttpClient[] clients)
    {
        var (started, joined) = (Probe[Started], Probe[Joined]);
        var callers = new List<Task<string>>();
        foreach (var client in clients)
        {
            callers.Add(client.GetStringAsync(Address).Soon());
            await (callers.Count == 1 ? Probe.Reached(Started, started + 1) : Probe.Reached(Joined, joined + callers.Count - 1));
        }

        return [.. callers];
    }

    /// <summary>Sends one more, and returns when it has joined.</summary>
    internal async Task<Task<string>> Join(HttpClient client)
    {
        var joined = Probe[Joined];
        var caller = client.GetStringAsync(Address).Soon();
        await Probe.Reached(Joined, joined + 1);
        return caller;
    }

    private ValueTask Hit(string name)
    {
        Probe.Hit(name);
        return default;
    }

    private sealed class Forward(HttpMessageHandler upstream) : HttpMessageHandler
    {
        private readonly HttpMessageInvoker _upstream = new(upstream, disposeHandler: false);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            _upstream.SendAsync(request, cancellationToken);

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            _upstream.Send(request, cancellationToken);
    }
}
