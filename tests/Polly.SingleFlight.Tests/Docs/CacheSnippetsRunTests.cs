using System.Net;
using System.Text;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Polly.Registry;
using Polly.SingleFlight.Caching;
using ZiggyCreatures.Caching.Fusion;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>The examples of the page about the cache do what the page says, on each of the caches that it names.</summary>
public sealed class CacheSnippetsRunTests : FlightTest
{
    public enum Kind
    {
        Memory,
        Hybrid,
        Fusion,
    }

    private int _tokens;

    public static TheoryData<Kind> Kinds => [.. Enum.GetValues<Kind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Unauthorized_TenCallersSeeTheSameToken_OneNewTokenIsRequested(Kind kind)
    {
        await using var services = Services(kind);
        var control = new CacheManualControl();
        var pipeline = Pipeline<CacheSnippets.Token>(kind, services, new() { ManualControl = control });
        await pipeline.ExecuteSingleFlightAsync("europe", async token => await RequestAsync("europe", token), TestContext.Current.CancellationToken);

        var responses = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => CacheSnippets.Unauthorized(
            pipeline, control, RequestAsync, CallAsync, TestContext.Current.CancellationToken)));

        Assert.All(responses, static response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        Assert.Equal(2, _tokens);

        static Task<HttpResponseMessage> CallAsync(CacheSnippets.Token token) =>
            Task.FromResult(new HttpResponseMessage(token.Value == "token 1" ? HttpStatusCode.Unauthorized : HttpStatusCode.OK));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Write_ThenARead_GetsWhatWasWritten(Kind kind)
    {
        await using var services = Services(kind);
        var control = new CacheManualControl();
        var pipeline = Pipeline<string>(kind, services, new() { ManualControl = control });
        var price = 1m;
        Assert.Equal("1", await ReadAsync());

        await CacheSnippets.Write(
            control,
            written =>
            {
                price = written;
                return Task.CompletedTask;
            },
            TestContext.Current.CancellationToken);

        Assert.Equal("9.90", await ReadAsync());

        async Task<string> ReadAsync() => await pipeline.ExecuteSingleFlightAsync(
            "prices/today", _ => new ValueTask<string>(price.ToString(System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task NotModified_RenewsTheOldResult(Kind kind)
    {
        await using var services = Services(kind);
        var pipeline = Pipeline<CacheSnippets.Document>(kind, services, new() { Lifetime = TimeSpan.FromMilliseconds(1), StaleOnError = TimeSpan.FromMinutes(5) });
        var sent = new List<string>();
        using var client = new HttpClient(new Answering(request =>
        {
            sent.Add(request.Headers.IfNoneMatch.ToString());
            if (sent[^1].Length != 0)
            {
                return new HttpResponseMessage(HttpStatusCode.NotModified);
            }

            var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("text", Encoding.UTF8) };
            response.Headers.ETag = new("\"1\"");
            return response;
        }));
        var uri = new Uri("https://documents.example/1");
        var first = await CacheSnippets.NotModified(pipeline, client, uri, TestContext.Current.CancellationToken);
        Clock.Advance(TimeSpan.FromSeconds(1));

        var second = await CacheSnippets.NotModified(pipeline, client, uri, TestContext.Current.CancellationToken);

        Assert.Equal(first, second);
        Assert.Equal(["", "\"1\""], sent);
    }

    [Fact]
    public async Task Services_RegisterAPipelineWithAHybridCache()
    {
        var services = new ServiceCollection();
        CacheSnippets.Services(services);
        await using var provider = services.BuildServiceProvider();
        var pipeline = provider.GetRequiredService<ResiliencePipelineProvider<string>>().GetPipeline<CacheSnippets.Token>("tokens");

        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("token 1", (await pipeline.ExecuteSingleFlightAsync("europe", async token => await RequestAsync("europe", token))).Value);
        }

        await provider.GetRequiredService<CacheManualControl>().EvictAsync("europe", TestContext.Current.CancellationToken);
        Assert.Equal("token 2", (await pipeline.ExecuteSingleFlightAsync("europe", async token => await RequestAsync("europe", token))).Value);
    }

    [Fact]
    public async Task Configuration_SetsAndReloadsTheOptions()
    {
        var configuration = new ConfigurationManager();
        configuration["Prices:Lifetime"] = "00:10:00";
        var services = new ServiceCollection();
        CacheSnippets.Configuration(services, configuration);
        await using var provider = services.BuildServiceProvider();
        var pipeline = provider.GetRequiredService<ResiliencePipelineProvider<string>>().GetPipeline<string>("prices");

        Assert.Equal(TimeSpan.FromMinutes(10), await LifetimeAsync("before"));
        configuration["Prices:Lifetime"] = "00:20:00";
        ((IConfigurationRoot)configuration).Reload();

        Assert.Equal(TimeSpan.FromMinutes(20), await LifetimeAsync("after"));
        Assert.True((await CallAsync("before")).IsHit);

        async Task<TimeSpan> LifetimeAsync(string key)
        {
            var result = await CallAsync(key);
            return result.ExpiresAt!.Value - result.StoredAt!.Value;
        }

        async Task<CacheResult> CallAsync(string key)
        {
            var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
            context.SetSingleFlightKey(key);
            await pipeline.ExecuteAsync(static _ => new ValueTask<string>("price"), context);
            var result = context.GetCacheResult()!;
            ResilienceContextPool.Shared.Return(context);
            return result;
        }
    }

    [Fact]
    public async Task Encryption_NothingReadableIsInTheDistributedCache()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IDistributedCache>(new Seen(new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions()))));
        CacheSnippets.Encryption(services);
        await using var provider = services.BuildServiceProvider();
        var pipeline = new ResiliencePipelineBuilder<CacheSnippets.Token> { Name = "tokens" }
            .AddCache(provider.GetRequiredService<HybridCache>(), new CacheStrategyOptions<CacheSnippets.Token>()).AddSingleFlight().Build();

        await pipeline.ExecuteSingleFlightAsync("europe", async token => await RequestAsync("europe", token));

        var seen = (Seen)provider.GetRequiredService<IDistributedCache>();
        Assert.NotEmpty(seen.Written);
        Assert.DoesNotContain(seen.Written, static bytes => Encoding.UTF8.GetString(bytes).Contains("token 1", StringComparison.Ordinal));
        Assert.Contains(seen.Written, static bytes => Encoding.UTF8.GetString(bytes).Contains("1 nekot", StringComparison.Ordinal));
    }

    private static ServiceProvider Services(Kind kind)
    {
        var services = new ServiceCollection();
        services.AddMemoryCache();
        if (kind == Kind.Fusion)
        {
            services.AddFusionCache().AsHybridCache();
        }
        else
        {
            services.AddHybridCache();
            services.AddSingleFlightCacheSerializers();
        }

        return services.BuildServiceProvider();
    }

    private ResiliencePipeline<T> Pipeline<T>(Kind kind, ServiceProvider services, CacheStrategyOptions<T> options)
    {
        var builder = new ResiliencePipelineBuilder<T> { Name = "pipeline", TimeProvider = Clock };
        return (kind == Kind.Memory
            ? builder.AddCache(services.GetRequiredService<IMemoryCache>(), options)
            : builder.AddCache(services.GetRequiredService<HybridCache>(), options)).AddSingleFlight().Build();
    }

    private Task<CacheSnippets.Token> RequestAsync(string region, CancellationToken cancellationToken) =>
        Task.FromResult(new CacheSnippets.Token($"token {Interlocked.Increment(ref _tokens)}", TimeSpan.FromHours(1)));

    private sealed class Answering(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
    }

    /// <summary>A distributed cache that remembers what was written.</summary>
    private sealed class Seen(IDistributedCache inner) : IDistributedCache
    {
        public List<byte[]> Written { get; } = [];

        public byte[]? Get(string key) => inner.Get(key);

        public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => inner.GetAsync(key, token);

        public void Refresh(string key) => inner.Refresh(key);

        public Task RefreshAsync(string key, CancellationToken token = default) => inner.RefreshAsync(key, token);

        public void Remove(string key) => inner.Remove(key);

        public Task RemoveAsync(string key, CancellationToken token = default) => inner.RemoveAsync(key, token);

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options)
        {
            Written.Add(value);
            inner.Set(key, value, options);
        }

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
        {
            Written.Add(value);
            return inner.SetAsync(key, value, options, token);
        }
    }
}
