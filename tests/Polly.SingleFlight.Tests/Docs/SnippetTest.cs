using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using Polly.Telemetry;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>
/// The base of tests that run code blocks of the documentation as they are. The server, the way to it, the clock and a listener are the
/// test's; everything else is the block's.
/// </summary>
public abstract class SnippetTest : HttpTest
{
    private const string Retried = "OnRetry";

    private readonly ConcurrentQueue<HttpStatusCode> _failures = new();
    private volatile Task _delay = Task.CompletedTask;

    protected SnippetTest() => Listener = new RecordingListener { Written = Count };

    /// <summary>A pipeline waits for its executions when it is disposed, by its own clock; after a failure they may never end.</summary>
    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Gate.Open();
        var disposal = base.DisposeAsync().AsTask();
        while (!disposal.IsCompleted)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await disposal;
    }

    internal DelayClock Time { get; } = new();

    internal RecordingListener Listener { get; }

    internal IConfigurationRoot Configuration { get; } = new ConfigurationBuilder().AddInMemoryCollection().Build();

    internal TestServer Server { get; private set; } = null!;

    /// <summary>
    /// Starts the server. While <see cref="HttpTest.Gate"/> is closed it holds its answers, which are <c>answer 1</c>, <c>answer 2</c> and so on,
    /// and of known length.
    /// </summary>
    /// <param name="failures">The status of the first answers; the others are 200.</param>
    internal async Task StartServerAsync(params HttpStatusCode[] failures)
    {
        foreach (var failure in failures)
        {
            _failures.Enqueue(failure);
        }

        var count = 0;
        Server = Serve(await TestServer.StartAsync(async context =>
        {
            var body = Encoding.UTF8.GetBytes($"answer {Interlocked.Increment(ref count)}");
            await Gate.Opened.WaitAsync(context.RequestAborted);
            context.Response.StatusCode = (int)(_failures.TryDequeue(out var failure) ? failure : HttpStatusCode.OK);
            context.Response.ContentLength = body.Length;
            await Answer(context.Response, body);
        }));
    }

    /// <summary>Sends the answer. A test may add to it.</summary>
    protected virtual Task Answer(HttpResponse response, ReadOnlyMemory<byte> body)
    {
        ArgumentNullException.ThrowIfNull(response);
        return response.Body.WriteAsync(body).AsTask();
    }

    /// <summary>Builds the services of a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="keepsAddress">Whether the clients of the block keep their address; otherwise it is that of the server.</param>
    /// <param name="primary">The primary handler; otherwise one with real connections.</param>
    internal ServiceProvider Provide(Action<IServiceCollection> block, bool keepsAddress = false, Func<HttpMessageHandler>? primary = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(static logging => logging.SetMinimumLevel(LogLevel.Debug).AddFakeLogging());
        services.AddSingleton<IConfiguration>(Configuration);
        services.AddSingleton<TimeProvider>(Time);
        services.Configure<TelemetryOptions>(options => options.TelemetryListeners.Add(Listener));
        block(services);
        services.ConfigureAll<HttpClientFactoryOptions>(options =>
        {
            options.HttpMessageHandlerBuilderActions.Add(builder => builder.PrimaryHandler = primary?.Invoke() ?? Sockets());
            if (!keepsAddress)
            {
                options.HttpClientActions.Add(client => client.BaseAddress = Server.Address);
            }
        });
        return Serve(services.BuildServiceProvider(validateScopes: true));
    }

    /// <summary>Opens the gate; the first attempt fails, and the delay until the second passes.</summary>
    /// <param name="delay">
    /// Longer than Polly's first delay with its jitter, and shorter than any time-out around all attempts; the default fits the standard handler.
    /// </param>
    internal async Task OpenUntilRetriedAsync(TimeSpan? delay = null)
    {
        Gate.Open();
        await Probe.Reached(Retried, 1);
        await _delay.Soon();
        Time.Advance(delay ?? TimeSpan.FromSeconds(20));
    }

    internal static HttpClient Named(IServiceProvider provider, string name) =>
        provider.GetRequiredService<IHttpClientFactory>().CreateClient(name);

    internal static string[] Logged(IServiceProvider provider, LogLevel level) =>
        [.. provider.GetFakeLogCollector().GetSnapshot()
            .Where(record => record.Category == "Polly.SingleFlight" && record.Level == level).Select(static record => record.Message)];

    /// <summary>Asserts that all callers got the same 200.</summary>
    internal static async Task AllGot(string body, Task<HttpResponseMessage>[] callers)
    {
        foreach (var caller in callers)
        {
            using var response = await caller;
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(body, await response.Content.ReadAsStringAsync().Soon());
        }
    }

    internal static FormUrlEncodedContent Form(params (string Name, string Value)[] fields) =>
        new(fields.Select(static field => KeyValuePair.Create(field.Name, field.Value)));

    private void Count(string name)
    {
        if (name == Retried)
        {
            _delay = Time.NextTimer();
        }

        Probe.Hit(name switch
        {
            "OnFlightStarted" => Started,
            "OnFlightJoined" => Joined,
            "OnFlightBypassed" => Bypassed,
            _ => name,
        });
    }
}
