using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>
/// The base of tests with clients of a factory: a server on loopback that answers when <see cref="Gate"/> is open, callers that are known
/// to have joined, and after each test no flight is left and nothing went unobserved.
/// </summary>
public abstract class ClientTest : IAsyncLifetime
{
    internal const string Started = "started";
    internal const string Joined = "joined";
    internal const string Bypassed = "bypassed";
    internal const string Expired = "expired";
    internal const string Prices = "prices";
    internal const string Category = "Polly.SingleFlight";

    private readonly List<ServiceProvider> _providers = [];
    private readonly List<IAsyncDisposable> _servers = [];
    private readonly List<SingleFlightGroup> _groups = [];
    private int _answers;

    internal Gate Gate { get; } = new();

    internal Probe Probe { get; } = new();

    internal FakeTimeProvider Clock { get; } = new();

    internal FakeLogCollector Logs { get; }

    internal TestServer Server { get; private set; } = null!;

    /// <summary>What is logged in the library's own category.</summary>
    internal IEnumerable<FakeLogRecord> Records => Logs.GetSnapshot().Where(static record => record.Category == Category);

    internal IEnumerable<FakeLogRecord> Warnings => Of(LogLevel.Warning);

    /// <summary>The factory tells nobody but its log when a handler's time is up.</summary>
    protected ClientTest() => Logs = FakeLogCollector.Create(new FakeLogCollectorOptions
    {
        CollectRecordsForDisabledLogLevels = false,
        OutputFormatter = static record => record.Message,
        OutputSink = message =>
        {
            if (message.StartsWith("HttpMessageHandler expired", StringComparison.Ordinal))
            {
                Probe.Hit(Expired);
            }
        },
    });

    public async ValueTask InitializeAsync() => Server = await Serve(AnswerAsync);

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Gate.Open();
        foreach (var provider in _providers)
        {
            await provider.DisposeAsync().AsTask().EndBy(Clock);
        }

        foreach (var server in _servers)
        {
            await server.DisposeAsync();
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

    internal IEnumerable<FakeLogRecord> Of(LogLevel level) => Records.Where(record => record.Level == level);

    /// <summary>Starts a server that is stopped after the test.</summary>
    internal async Task<TestServer> Serve(RequestDelegate answer)
    {
        var server = await TestServer.StartAsync(answer);
        _servers.Add(server);
        return server;
    }

    /// <summary>What <see cref="Server"/> answers: by default the number of the call and who asked, when the gate is open.</summary>
    protected virtual async Task AnswerAsync(HttpContext context)
    {
        var text = $"{NextNumber()} {Who(context)}";
        await Gate.Opened.WaitAsync(context.RequestAborted);
        await Write(context, text);
    }

    /// <summary>A number that no other answer has.</summary>
    internal int NextNumber() => Interlocked.Increment(ref _answers);

    internal static string Who(HttpContext context) => $"{context.Request.Headers["X-User"]}";

    internal static Task Write(HttpContext context, string text)
    {
        context.Response.ContentLength = System.Text.Encoding.UTF8.GetByteCount(text);
        return context.Response.WriteAsync(text);
    }

    /// <summary>A provider with logs and a clock, and with options whose events are counted whatever their name.</summary>
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
        services.AddSingleton<TimeProvider>(Clock);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new FakeLoggerProvider(Logs)));
        services.ConfigureHttpClientDefaults(static client => client.ConfigurePrimaryHttpMessageHandler(static () => HttpTest.Sockets()));
        services.ConfigureAll<HttpSingleFlightStrategyOptions>(options => Watch(options));
        services.PostConfigureAll<HttpSingleFlightStrategyOptions>(options =>
        {
            if (options.Group is { } group)
            {
                Track(group);
            }
        });
    }

    internal T Watch<T>(T options)
        where T : SingleFlightStrategyOptions
    {
        options.OnFlightStarted += _ => Hit(Started);
        options.OnFlightJoined += _ => Hit(Joined);
        options.OnFlightBypassed += _ => Hit(Bypassed);
        return options;
    }

    /// <summary>Options for a pipeline of <c>AddResilienceHandler</c>.</summary>
    internal HttpSingleFlightStrategyOptions Options(ResilienceHandlerContext context)
    {
        var options = Watch(new HttpSingleFlightStrategyOptions { Group = context.GetSingleFlightGroup() });
        Track(options.Group!);
        return options;
    }

    internal void Track(SingleFlightGroup group)
    {
        lock (_groups)
        {
            _groups.Add(group);
        }
    }

    internal ServiceProvider ProvideClient(Action<IHttpClientBuilder> configure) => Provide(services => configure(services.AddHttpClient(Prices)));

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
            callers.Add(Get(client));
            await (callers.Count == 1 ? Probe.Reached(Started, started + 1) : Probe.Reached(Joined, joined + callers.Count - 1));
        }

        return [.. callers];
    }

    internal Task<Task<string>[]> Fly(HttpClient client, int count) => Fly([.. Enumerable.Repeat(client, count)]);

    /// <summary>Sends one more, and returns when it has joined.</summary>
    internal async Task<Task<string>> Join(HttpClient client)
    {
        var joined = Probe[Joined];
        var caller = Get(client);
        await Probe.Reached(Joined, joined + 1);
        return caller;
    }

    internal Task<string> Get(HttpClient client, string path = "/resource") => client.GetStringAsync(Server.At(path)).Soon();

    private ValueTask Hit(string name)
    {
        Probe.Hit(name);
        return default;
    }
}
