// Shows access tokens that are cached, requested once for all callers, and dropped when the API answers 401.
// The token endpoint and the API run in this process, on a loopback port (Upstream.cs).
// Run it with: dotnet run --project samples/Tokens
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.SingleFlight.Caching;
using Tokens;

await using Upstream upstream = await Upstream.StartAsync();
var services = new ServiceCollection();
services.AddMemoryCache();
services.AddSingleton<CacheManualControl>();
services.AddHttpClient<TokenClient>(http => http.BaseAddress = upstream.Address);
services.AddHttpClient<OrderClient>(http => http.BaseAddress = upstream.Address);
services.AddResiliencePipeline<string, Token>("tokens", (builder, context) => builder
    .AddCache(context.ServiceProvider.GetRequiredService<IMemoryCache>(), new CacheStrategyOptions<Token>
    {
        LifetimeGenerator = args => new(CacheLifetime.FromExpiresIn(args.Result.ExpiresIn, args.Elapsed)),
        ManualControl = context.ServiceProvider.GetRequiredService<CacheManualControl>(),
    })
    .AddSingleFlight());

await using ServiceProvider provider = services.BuildServiceProvider();
OrderClient orders = provider.GetRequiredService<OrderClient>();
bool kept = true;

// 1. A cold start: one token for all callers.
await CallAsync("cold start", callers: 100, tokens: 1, rejected: 0);

// 2. The next callers use the token of the cache.
await CallAsync("next wave", callers: 100, tokens: 0, rejected: 0);

// 3. The API does not accept the token any more. All callers see 401 at the same time, and one more sees it later.
upstream.Revoke(expectedCallers: 100);
Task<string> late = orders.GetAsync("orders?late=true", CancellationToken.None);
await CallAsync("token revoked", callers: 100, tokens: 1, rejected: 100);

// 4. The 401 that is late is about the old token, so it does not evict the new one.
upstream.AnswerLate();
await late;
Report("late 401", callers: 1, tokens: 0, rejected: 1);
return kept ? 0 : 1;

async Task CallAsync(string what, int callers, int tokens, int rejected)
{
    await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => orders.GetAsync("orders", CancellationToken.None)));
    Report(what, callers, tokens, rejected);
}

void Report(string what, int callers, int tokens, int rejected)
{
    (int Tokens, int Rejected, int Evictions) seen = (upstream.TakeTokens(), upstream.TakeRejected(), orders.TakeEvictions());
    Console.WriteLine($"{what}: callers {callers}, answers 401: {seen.Rejected}, evictions {seen.Evictions}, tokens requested {seen.Tokens}");
    kept &= seen == (tokens, rejected, rejected > 0 ? tokens : 0);
}
