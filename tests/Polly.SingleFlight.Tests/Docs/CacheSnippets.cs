using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Polly.Retry;
using Polly.SingleFlight.Caching;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>The code blocks of the documentation about the cache; see <see cref="Snippets"/>.</summary>
internal static class CacheSnippets
{
    public static async Task<Token> Cache(
        IMemoryCache cache, Func<string, CancellationToken, Task<Token>> requestTokenAsync, CancellationToken cancellationToken)
    {
        #region cache
        ResiliencePipeline<Token> pipeline = new ResiliencePipelineBuilder<Token> { Name = "tokens" }
            .AddCache(cache, new CacheStrategyOptions<Token>
            {
                LifetimeGenerator = args => new(CacheLifetime.FromExpiresIn(args.Result.ExpiresIn, args.Elapsed)),
                StaleOnError = TimeSpan.FromMinutes(1),
            })
            .AddSingleFlight()
            .AddRetry(new RetryStrategyOptions<Token>())
            .AddTimeout(TimeSpan.FromSeconds(3))
            .Build();

        Token token = await pipeline.ExecuteSingleFlightAsync(
            ("contoso", "europe"),                                       // one key for the cache and for single flight
            async flightToken => await requestTokenAsync("europe", flightToken),
            cancellationToken);
        #endregion
        return token;
    }

    public static void Services(IServiceCollection services)
    {
        #region cache-services
        services.AddHybridCache();
        services.AddSingleFlightCacheSerializers();                      // lets the serializer registered for Token write the token
        services.AddSingleton<CacheManualControl>();

        services.AddResiliencePipeline<string, Token>("tokens", (builder, context) => builder
            .AddCache(context.ServiceProvider.GetRequiredService<HybridCache>(), new CacheStrategyOptions<Token>
            {
                LifetimeGenerator = args => new(CacheLifetime.FromExpiresIn(args.Result.ExpiresIn, args.Elapsed)),
                ManualControl = context.ServiceProvider.GetRequiredService<CacheManualControl>(),
                Version = "2",                                           // of Token: what older releases wrote is not read
            })
            .AddSingleFlight());
        #endregion
    }

    public static async Task<HttpResponseMessage> Unauthorized(
        ResiliencePipeline<Token> pipeline,
        CacheManualControl control,
        Func<string, CancellationToken, Task<Token>> requestTokenAsync,
        Func<Token, Task<HttpResponseMessage>> callAsync,
        CancellationToken cancellationToken)
    {
        #region cache-unauthorized
        ResilienceContext context = ResilienceContextPool.Shared.Get(cancellationToken);
        var key = ("contoso", "europe");                                 // tenant and region
        context.SetSingleFlightKey(key);
        try
        {
            Token token = await pipeline.ExecuteAsync(async flight => await requestTokenAsync("europe", flight.CancellationToken), context);
            HttpResponseMessage response = await callAsync(token);
            if (response.StatusCode == HttpStatusCode.Unauthorized && context.GetCacheResult() is { } seen)
            {
                response.Dispose();
                await control.EvictAsync(key, seen, cancellationToken);   // does nothing if a newer token is there
                token = await pipeline.ExecuteAsync(async flight => await requestTokenAsync("europe", flight.CancellationToken), context);
                response = await callAsync(token);
            }

            return response;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
        #endregion
    }

    public static async Task Write(CacheManualControl control, Func<decimal, Task> savePriceAsync, CancellationToken cancellationToken)
    {
        #region cache-write
        await savePriceAsync(9.90m);
        await control.EvictAsync("prices/today", cancellationToken);     // the entry is gone, and readers from now on start afresh
        #endregion
    }

    public static async Task<Document> NotModified(
        ResiliencePipeline<Document> pipeline, HttpClient client, Uri uri, CancellationToken cancellationToken)
    {
        #region cache-etag
        ResilienceContext context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.SetSingleFlightKey(uri);
        try
        {
            return await pipeline.ExecuteAsync(
                async flight =>
                {
                    using var request = new HttpRequestMessage(HttpMethod.Get, uri);
                    if (flight.TryGetReplacedResult(out Document? old) && old is not null)
                    {
                        request.Headers.IfNoneMatch.Add(new EntityTagHeaderValue(old.ETag));
                    }

                    using HttpResponseMessage response = await client.SendAsync(request, flight.CancellationToken);
                    if (response.StatusCode == HttpStatusCode.NotModified && old is not null)
                    {
                        return old;                                      // renews the lifetime of the old result
                    }

                    response.EnsureSuccessStatusCode();
                    return new Document(response.Headers.ETag!.Tag, await response.Content.ReadAsStringAsync(flight.CancellationToken));
                },
                context);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
        #endregion
    }

    public static void Configuration(IServiceCollection services, IConfiguration configuration)
    {
        #region cache-configuration
        services.AddMemoryCache();
        services.Configure<CacheStrategyOptions<string>>("prices", configuration.GetSection("Prices"));  // { "Lifetime": "00:10:00", "StaleOnError": "00:01:00" }
        services.AddResiliencePipeline<string, string>("prices", (builder, context) =>
        {
            context.EnableReloads<CacheStrategyOptions<string>>("prices");
            builder
                .AddCache(context.ServiceProvider.GetRequiredService<IMemoryCache>(), context.GetOptions<CacheStrategyOptions<string>>("prices"))
                .AddSingleFlight();
        });
        #endregion
    }

    public static void Encryption(IServiceCollection services)
    {
        #region cache-encryption
        services.AddHybridCache();
        services.AddSingleton<IHybridCacheSerializer<Token>, EncryptingTokenSerializer>();   // yours
        services.AddSingleFlightCacheSerializers();
        #endregion
    }

    internal sealed record Token(string Value, TimeSpan ExpiresIn);

    internal sealed record Document(string ETag, string Text);

    internal sealed class EncryptingTokenSerializer : IHybridCacheSerializer<Token>
    {
        public Token Deserialize(ReadOnlySequence<byte> source)
        {
            var bytes = source.ToArray();
            Array.Reverse(bytes);
            return System.Text.Json.JsonSerializer.Deserialize<Token>(bytes)!;
        }

        public void Serialize(Token value, IBufferWriter<byte> target)
        {
            var bytes = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(value);
            Array.Reverse(bytes);
            target.Write(bytes);
        }
    }
}
