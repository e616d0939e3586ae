using Microsoft.Extensions.DependencyInjection;

namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>Clients over an upstream in memory, registered as users do, without the factory's own logging handlers.</summary>
internal sealed class HttpClients : IDisposable
{
    private readonly ServiceProvider _services;

    public HttpClients(InMemoryUpstream upstream)
    {
        var services = new ServiceCollection();
        Register("bare");
        Register("empty pipeline").AddResilienceHandler("empty", static _ => { });
        Register("single flight").AddSingleFlight();
        _services = services.BuildServiceProvider();
        var factory = _services.GetRequiredService<IHttpClientFactory>();
        Bare = factory.CreateClient("bare");
        EmptyPipeline = factory.CreateClient("empty pipeline");
        SingleFlight = factory.CreateClient("single flight");

        IHttpClientBuilder Register(string name) =>
            services.AddHttpClient(name).RemoveAllLoggers().ConfigurePrimaryHttpMessageHandler(() => upstream).SetHandlerLifetime(System.Threading.Timeout.InfiniteTimeSpan);
    }

    public HttpClient Bare { get; }

    public HttpClient EmptyPipeline { get; }

    public HttpClient SingleFlight { get; }

    public void Dispose() => _services.Dispose();
}
