namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>Microsoft's resilience handlers, which do not wait between attempts.</summary>
internal static class Resilience
{
    public static IHttpClientBuilder AddStandard(this IHttpClientBuilder client)
    {
        client.AddStandardResilienceHandler(static options =>
        {
            options.Retry.Delay = TimeSpan.Zero;
            options.Retry.UseJitter = false;
        });
        return client;
    }

    public static IHttpClientBuilder AddHedging(this IHttpClientBuilder client)
    {
        client.AddStandardHedgingHandler();
        return client;
    }

    public static IHttpClientBuilder AddRetries(this IHttpClientBuilder client, string name = "retries", int count = 3)
    {
        client.AddResilienceHandler(name, pipeline => pipeline.AddRetry(Retries(count)));
        return client;
    }

    public static HttpRetryStrategyOptions Retries(int count = 3) =>
        new() { MaxRetryAttempts = count, Delay = TimeSpan.Zero, UseJitter = false };
}
