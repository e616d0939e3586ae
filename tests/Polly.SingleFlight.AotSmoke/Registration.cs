using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.AotSmoke;

/// <summary>A client of the factory with options from configuration: binding, validation and HTTP sharing without reflection.</summary>
internal static class Registration
{
    private static readonly Uri s_address = new("http://upstream.test/prices");

    public static async Task ClientWithConfigurationCoalesces()
    {
        using var upstream = new Upstream();
        var joined = Expect.Gate();
        await using var provider = Provide(upstream, joined, ("MaxJoinAge", "infinite"), ("Methods:0", "GET"), ("LeaderDeparture", "HandOver"));
        var options = provider.GetRequiredService<IOptionsMonitor<HttpSingleFlightStrategyOptions>>().Get("prices");
        Expect.Equal((1, LeaderDeparture.HandOver), (options.Methods.Count, options.LeaderDeparture), "options");

        var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("prices");
        var first = client.GetStringAsync(s_address);
        var second = client.GetStringAsync(s_address);
        await joined.Task;
        upstream.Answer.SetResult();

        Expect.Equal(("answer 1", "answer 1"), (await first, await second), "answers");
        Expect.Equal(1, upstream.Calls, "upstream calls");
    }

    public static Task InvalidConfigurationIsNamed()
    {
        using var upstream = new Upstream();
        Refused("Prices:MaxElection", ("MaxElection", "1"));
        Refused("Prices:MaxElections", ("MaxElections", "-1"));
        Refused("Prices:LeaderDeparture", ("LeaderDeparture", "Stay"));
        return Task.CompletedTask;

        void Refused(string path, params (string, string)[] settings)
        {
            using var provider = Provide(upstream, Expect.Gate(), settings);
            var factory = provider.GetRequiredService<IHttpClientFactory>();
            Expect.Contains(path, Expect.Throws<OptionsValidationException>(() => factory.CreateClient("prices")).Message);
        }
    }

    private static ServiceProvider Provide(Upstream upstream, TaskCompletionSource joined, params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create($"Prices:{setting.Key}", (string?)setting.Value)))
            .Build();
        var services = new ServiceCollection();
        services.AddHttpClient("prices")
            .ConfigurePrimaryHttpMessageHandler(() => upstream)
            .AddSingleFlight(configuration.GetSection("Prices"))
            .AddSingleFlight(options => options.OnFlightJoined = _ =>
            {
                joined.SetResult();
                return default;
            });
        return services.BuildServiceProvider();
    }

    private sealed class Upstream : HttpMessageHandler
    {
        public TaskCompletionSource Answer { get; } = Expect.Gate();

        public int Calls { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = $"answer {++Calls}";
            await Answer.Task.WaitAsync(cancellationToken);
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(body), RequestMessage = request };
        }
    }
}
