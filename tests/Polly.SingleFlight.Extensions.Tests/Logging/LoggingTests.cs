using System.Net.Http.Headers;

namespace Polly.SingleFlight.Extensions.Tests.Logging;

public sealed class LoggingTests : ClientTest
{
    [Fact]
    public async Task Join_OfFlight_IsLoggedAtDebug()
    {
        var provider = ProvideClient(static client => client.AddSingleFlight());

        var callers = await Fly(Client(provider), Client(provider), Client(provider));
        Gate.Open();
        await Task.WhenAll(callers);

        Assert.Equal(2, Logs.Of(LogLevel.Debug).Count(static record => record.Text.Contains("joined flight", StringComparison.Ordinal)));
        Assert.All(Logs.Of(LogLevel.Debug), static record => Assert.Contains("SingleFlight of client 'prices'", record.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Response_ThatIsNotShared_IsAWarningWithItsReason()
    {
        using var upstream = new Upstream(Gate, static _ =>
        {
            var response = Ok("mine");
            response.Headers.TryAddWithoutValidation("Set-Cookie", "id=secret");
            return response;
        });
        var provider = Provide(services => services.AddHttpClient(Prices).ConfigurePrimaryHttpMessageHandler(() => upstream).AddSingleFlight());

        var callers = await Fly(Client(provider), Client(provider));
        Gate.Open();
        await Task.WhenAll(callers);

        var warning = Assert.Single(Logs.Of(LogLevel.Warning));
        Assert.Contains("(SetCookie)", warning.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CredentialGuard_ThatTrips_IsAWarningOnce()
    {
        var provider = ProvideClient(static client => client.AddSingleFlight()
            .AddHttpMessageHandler(static () => new StubHandler(static request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "secret"))));

        var callers = await Fly(Client(provider), Client(provider), Client(provider));
        Gate.Open();
        await Task.WhenAll(callers);

        var warning = Assert.Single(Logs.Of(LogLevel.Warning), static record => record.Text.Contains("credentials", StringComparison.Ordinal));
        Assert.DoesNotContain("secret", warning.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Callback_ThatThrows_IsAnErrorWithoutItsMessage()
    {
        var provider = ProvideClient(static client => client.AddSingleFlight(
            static options => options.OnFlightStarted = static _ => throw new InvalidOperationException("secret")));
        Gate.Open();

        await Client(provider).GetStringAsync(Address).Soon();

        var error = Assert.Single(Logs.Of(LogLevel.Error));
        Assert.Contains("OnFlightStarted", error.Text, StringComparison.Ordinal);
        Assert.Contains(nameof(InvalidOperationException), error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_OfEverything_HoldNoSecret()
    {
        const string Secret = "s3cret";
        using var upstream = new Upstream(Gate, static request => request.Number % 2 == 0 ? throw new HttpRequestException(Secret) : Ok(Secret));
        var settings = new Settings();
        var provider = Provide(services => services.AddHttpClient(Prices).ConfigurePrimaryHttpMessageHandler(() => upstream)
            .AddSingleFlight(settings.Prices)
            .AddSingleFlight(static options =>
            {
                options.Methods.Add(HttpMethod.Post);
                options.Discriminator = static _ => Secret;
            }));
        using var client = Client(provider);

        var callers = new[] { Send(), Send() };
        await Probe.Reached(Joined, 1);
        settings.Replace((Secret, Secret));
        Gate.Open();
        await Task.WhenAll(callers);
        await Send();
        await Send();

        // The name of an unknown key is logged, as it must; nothing else is.
        Assert.NotEmpty(Logs.Records);
        Assert.All(Logs.Records, static record => Assert.DoesNotContain(
            Secret, record.Text.Replace($"Clients:Prices:{Secret} is not an option", "", StringComparison.Ordinal), StringComparison.Ordinal));

        async Task Send()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Address, Secret)) { Content = new StringContent(Secret) };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Secret);
            request.SetSingleFlightKey(Secret);
            try
            {
                using var response = await client.SendAsync(request).Soon();
            }
            catch (HttpRequestException)
            {
                // Every other answer is one.
            }
        }
    }

    [Fact]
    public async Task Listener_OfTheUser_HearsEverythingToo()
    {
        var listener = new RecordingListener();
        var provider = ProvideClient(client => client.AddSingleFlightHandler("pipeline", (pipeline, context) =>
        {
            pipeline.TelemetryListener = listener;
            var options = new HttpSingleFlightStrategyOptions { Group = context.Group };
            Watch(options);
            pipeline.AddSingleFlight(options);
        }));

        var callers = await Fly(Client(provider), Client(provider));
        Gate.Open();
        await Task.WhenAll(callers);

        Assert.Equal(1, listener.Count("OnFlightStarted"));
        Assert.Equal(1, listener.Count("OnFlightJoined"));
        Assert.Contains(Logs.Of(LogLevel.Debug), static record => record.Text.Contains("joined flight", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Levels_ThatAreOff_LogNothing()
    {
        Logs.Minimum = LogLevel.None;
        var provider = ProvideClient(static client => client.AddSingleFlight());

        var callers = await Fly(Client(provider), Client(provider));
        Gate.Open();
        await Task.WhenAll(callers);

        Assert.Empty(Logs.Records);
    }
}
