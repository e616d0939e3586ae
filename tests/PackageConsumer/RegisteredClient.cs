using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Polly.SingleFlight.Http;

/// <summary>A client of the factory with one line of registration, and a token endpoint in memory.</summary>
internal static class RegisteredClient
{
    /// <returns>How many of the callers got the token in a response of their own, and how many requests that took.</returns>
    public static async Task<(int Answered, int Requests)> RunAsync(int callers)
    {
        var flying = 0;
        var allFlying = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ValueTask Count()
        {
            if (Interlocked.Increment(ref flying) == callers)
            {
                allFlying.SetResult();
            }

            return default;
        }

        var endpoint = new Endpoint(allFlying.Task);
        var services = new ServiceCollection();
        services.AddHttpClient("tokens", static client => client.BaseAddress = new Uri("http://tokens.example/"))
            .AddSingleFlight(options =>
            {
                options.UseTokenEndpoint();
                options.OnFlightStarted = _ => Count();
                options.OnFlightJoined = _ => Count();
            })
            .ConfigurePrimaryHttpMessageHandler(() => endpoint);
        await using var provider = services.BuildServiceProvider();
        var factory = provider.GetRequiredService<IHttpClientFactory>();

        var answers = await Task.WhenAll(Enumerable.Range(0, callers).Select(async _ =>
        {
            using var form = new FormUrlEncodedContent([new("grant_type", "client_credentials")]);
            using var response = await factory.CreateClient("tokens").PostAsync("connect/token", form);
            return (Token: await response.Content.ReadAsStringAsync(), response.RequestMessage);
        }));
        return (answers.Where(static answer => answer.Token == "token").Select(static answer => answer.RequestMessage).Distinct().Count(), endpoint.Requests);
    }

    private sealed class Endpoint(Task answer) : HttpMessageHandler
    {
        private int _requests;

        public int Requests => Volatile.Read(ref _requests);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _requests);
            await answer.WaitAsync(cancellationToken);
            return new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent("token"),
                Headers = { { "Cache-Control", "no-store" } },
            };
        }
    }
}
