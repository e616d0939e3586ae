using System.Net;
using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Extensions.Tests.Telemetry;

/// <summary>What the one call shows on Polly's meter and in its log is what a pipeline of AddResilienceHandler shows.</summary>
public sealed class EventTests : TelemetryTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Events_OfFlights_AreOnPollysMeterAndInItsLog(bool isHandler)
    {
        var provider = Provide(isHandler);
        using var client = Client(provider, Name);

        var callers = await Fly(client, 3);
        using var request = new HttpRequestMessage(HttpMethod.Delete, Server.At("/other"));
        using var alone = client.SendAsync(request).Soon();
        await Probe.Reached(Bypassed, 1);
        Gate.Open();
        await Task.WhenAll(callers);
        (await alone).Dispose();

        string[] expected = ["OnFlightBypassed Debug", "OnFlightCompleted Debug", "OnFlightJoined Debug", "OnFlightJoined Debug", "OnFlightStarted Debug"];
        Assert.Equal(expected.Select(static name => name + " SingleFlight"), EventNames());
        Assert.All(Of(Events), measured => Assert.Equal(
            (isHandler ? $"{Name}-own" : "SingleFlight", isHandler ? "" : Name), (Tag(measured, "pipeline.name"), Tag(measured, "pipeline.instance"))));
        var source = isHandler ? $"{Name}-own//SingleFlight" : $"SingleFlight/{Name}/SingleFlight";
        Assert.Equal(
            expected.Select(static name => name[..name.IndexOf(' ', StringComparison.Ordinal)]),
            PollyRecords.Where(static record => record.Message.Contains("OnFlight", StringComparison.Ordinal)).Select(record =>
            {
                Assert.Equal(LogLevel.Debug, record.Level);
                Assert.Contains($"'{source}'", record.Message.Replace("(null)", "", StringComparison.Ordinal), StringComparison.Ordinal);
                return record.GetStructuredStateValue("EventName")!;
            }).Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Events_OfAFlightThatAllLeave_AreInformation(bool isHandler)
    {
        using var source = new CancellationTokenSource();
        using var client = Client(Provide(isHandler), Name);
        var callers = new[] { client.GetAsync(Server.At("/"), source.Token), client.GetAsync(Server.At("/"), source.Token) };
        await Probe.Reached(Joined, 1);
        await Server.Probe.Reached(TestServer.Called, 1);

        await source.CancelAsync();
        foreach (var caller in callers)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        }

        await Server.Probe.Reached(TestServer.Aborted, 1);

        Assert.Contains("OnFlightAbandoned Information SingleFlight", EventNames());
        var record = Assert.Single(Of(LogLevel.Information));
        Assert.Contains("abandoned by all of its 2 callers", record.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_OfTheGuard_AreWarnings()
    {
        var provider = ProvideNamed(static client => client.AddSingleFlight().AddHttpMessageHandler(static () => new AddingHeader("X-Tenant", static _ => "secret")));

        var callers = await Fly(Client(provider, Name), 2);
        Gate.Open();
        await Task.WhenAll(callers);

        Assert.Contains("OnIdentityGuard Warning SingleFlight", EventNames());
        Assert.Contains("OnResponseUnshared Warning SingleFlight", EventNames());
        Assert.Equal(2, Warnings.Count());
        Assert.Equal(2, PollyRecords.Count(static record => record.Level == LogLevel.Warning));
    }

    [Fact]
    public async Task Events_OfTheResilienceHandlerInside_ShowToo()
    {
        var provider = ProvideNamed(static client => client.AddStandard().AddSingleFlight());

        var callers = await Fly(Client(provider, Name), 3);
        Failures = 1;
        Gate.Open();
        await Task.WhenAll(callers);

        Assert.Equal(2, Server.Calls);
        Assert.Equal(2, Attempts.GetMeasurementSnapshot().Count(measured => Tag(measured, "pipeline.name") == $"{Name}-standard"));
        Assert.Contains(Of(Events), static measured => Tag(measured, "event.name") == "OnRetry" && Tag(measured, "event.severity") == "Warning");
        Assert.Contains(PollyRecords, static record => record.Message.Contains("OnRetry", StringComparison.Ordinal));
        Assert.Equal(2, Of(Events).Count(static measured => Tag(measured, "event.name") == "OnFlightJoined"));
    }

    [Fact]
    public async Task Joiners_AreLoggedWithTheirFlight()
    {
        var provider = ProvideNamed(static client => client.AddSingleFlight());

        var callers = await Fly(Client(provider, Name), 3);
        Gate.Open();
        await Task.WhenAll(callers);

        Assert.Equal(
            [$"Pipeline 'SingleFlight/{Name}': joined flight #, 2 callers so far.", $"Pipeline 'SingleFlight/{Name}': joined flight #, 3 callers so far."],
            Of(LogLevel.Debug).Select(static record => record.Message.Replace($"flight {record.GetStructuredStateValue("FlightId")},", "flight #,", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Callback_ThatThrows_IsAnErrorWithoutItsMessage()
    {
        var provider = ProvideNamed(static client => client.AddSingleFlight(
            static options => options.OnFlightStarted = static _ => throw new InvalidOperationException("secret")));
        Gate.Open();

        await Get(Client(provider, Name));

        var error = Assert.Single(Of(LogLevel.Error));
        Assert.Contains("OnFlightStarted", error.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(InvalidOperationException), error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    protected override Task AnswerAsync(HttpContext context) => AnswerOrFail(context, Server.Calls);

    private int Failures { get; set; }

    private async Task AnswerOrFail(HttpContext context, int number)
    {
        await Gate.Opened.WaitAsync(context.RequestAborted);
        context.Response.StatusCode = (int)(number <= Failures ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK);
        await Write(context, "answer");
    }

    private ServiceProvider Provide(bool isHandler) => Provide(services =>
    {
        services.AddHttpClient("other").AddSingleFlight();
        if (isHandler)
        {
            services.AddHttpClient(Name).AddResilienceHandler("own", (pipeline, context) => pipeline.AddSingleFlight(Options(context)));
        }
        else
        {
            services.AddHttpClient(Name).AddSingleFlight();
        }
    });
}
