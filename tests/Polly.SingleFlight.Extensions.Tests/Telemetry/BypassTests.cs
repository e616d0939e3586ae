using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Extensions.Tests.Telemetry;

/// <summary>Every reason for which a request is sent alone, in the log and on both meters.</summary>
public sealed class BypassTests : TelemetryTest
{
    private static readonly Dictionary<BypassReason, Func<BypassTests, Task>> s_ways = new()
    {
        [BypassReason.NoKey] = static test => test.Alone(static request => request.SetSingleFlightKey("")),
        [BypassReason.Method] = static test => test.Alone(static request => request.Method = HttpMethod.Delete),
        [BypassReason.Header] = static test => test.Alone(static request => request.Headers.CacheControl = new() { NoStore = true }),
        [BypassReason.UnbufferedBody] = static test => test.Post(new StreamContent(new MemoryStream([1, 2]))),
        [BypassReason.BodyTooLarge] = static test => test.Post(new ByteArrayContent(new byte[100])),
        [BypassReason.OptedOut] = static test => test.Alone(static request => request.DisableSingleFlight()),
        [BypassReason.UnexpectedBody] = static test => test.Alone(static request => request.Content = new StringContent("x")),
        [BypassReason.NotClientCredentials] = static test =>
            test.Alone(static request => request.Method = HttpMethod.Post, static options => options.UseTokenEndpoint()),
        [BypassReason.Unshared] = static test => test.Together("/cookie"),
        [BypassReason.Limit] = static test => test.Together("/large"),
        [BypassReason.Remembered] = static test => test.Again(),
        [BypassReason.Reentrancy] = static test => test.Reentered(),
        [BypassReason.Election] = static test => test.HandedOver(),
    };

    public static TheoryData<string> Reasons => [.. Enum.GetNames<BypassReason>()];

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task Request_SentAlone_IsLoggedAndCountedWithItsReason(string name)
    {
        await s_ways[Enum.Parse<BypassReason>(name)](this);

        Assert.Contains(Records, record => record.Message.Contains($"({name})", StringComparison.Ordinal) && record.GetStructuredStateValue("Reason") == name);
        var onPollys = Assert.Single(Of(Events), measured => Tag(measured, "single_flight.bypass_reason") == name);
        Assert.Equal("OnFlightBypassed", Tag(onPollys, "event.name"));
        Assert.Equal("bypassed", Tag(Assert.Single(Of(Executions), measured => Tag(measured, "single_flight.bypass_reason") == name), "single_flight.role"));
        Assert.All(Of(Events), static measured => Assert.Equal(
            Tag(measured, "event.name") == "OnFlightBypassed", Tag(measured, "single_flight.bypass_reason") is not null));
    }

    /// <summary>Somebody asked for POST to be coalesced, and it is not: said once, and then at Debug like all others.</summary>
    [Fact]
    public async Task Request_OfAnOptedInMethodSentAlone_IsOneWarning()
    {
        using var client = Client(ProvideNamed(static client => client.AddSingleFlight(static options =>
        {
            options.Methods.Add(HttpMethod.Post);
            options.Methods.Add(HttpMethod.Put);
        })), Name);
        Gate.Open();

        foreach (var method in (HttpMethod[])[HttpMethod.Post, HttpMethod.Post, HttpMethod.Put])
        {
            using var request = new HttpRequestMessage(method, Server.At("/resource")) { Content = new StreamContent(new MemoryStream([1])) };
            (await client.SendAsync(request).Soon()).Dispose();
        }

        var warning = Assert.Single(Warnings);
        Assert.Contains("although its method is among Methods (UnbufferedBody)", warning.Message, StringComparison.Ordinal);
        Assert.Equal(["Debug", "Debug", "Warning"], Of(Events).Select(static measured => Tag(measured, "event.severity")).Order());
        Assert.Equal(2, Of(LogLevel.Debug).Count());
    }

    [Fact]
    public async Task Request_OptedOutOfAnOptedInMethod_IsNoWarning()
    {
        using var client = Client(ProvideNamed(static client => client.AddSingleFlight(static options => options.Methods.Add(HttpMethod.Post))), Name);
        using var request = new HttpRequestMessage(HttpMethod.Post, Server.At("/resource"));
        request.DisableSingleFlight();
        Gate.Open();

        (await client.SendAsync(request).Soon()).Dispose();

        Assert.Empty(Warnings);
        Assert.Contains("(OptedOut)", Assert.Single(Of(LogLevel.Debug)).Message, StringComparison.Ordinal);
    }

    protected override Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == "/cookie")
        {
            context.Response.Headers.SetCookie = "id=1";
        }

        return context.Request.Path == "/large" ? Large(context) : base.AnswerAsync(context);
    }

    private async Task Large(HttpContext context)
    {
        await Gate.Opened.WaitAsync(context.RequestAborted);
        await Write(context, new string('x', 100));
    }

    private Task Post(HttpContent body) => Alone(
        request => (request.Method, request.Content) = (HttpMethod.Post, body),
        static options =>
        {
            options.Methods.Add(HttpMethod.Post);
            options.MaxRequestBodyBytes = 10;
        });

    private async Task Alone(Action<HttpRequestMessage> change, Action<HttpSingleFlightStrategyOptions>? configure = null)
    {
        using var client = Client(ProvideNamed(builder => builder.AddSingleFlight(configure ?? (static _ => { }))), Name);
        using var request = new HttpRequestMessage(HttpMethod.Get, Server.At("/resource"));
        change(request);
        Gate.Open();
        (await client.SendAsync(request).Soon()).Dispose();
    }

    private async Task<HttpClient> Together(string path)
    {
        var client = Client(ProvideNamed(static builder => builder.AddSingleFlight(static options => options.MaxResponseBodyBytes = 10)), Name);
        var leader = Get(client, path);
        await Probe.Reached(Started, 1);
        var follower = Get(client, path);
        await Probe.Reached(Joined, 1);
        Gate.Open();
        await Task.WhenAll(leader, follower);
        return client;
    }

    private async Task Again()
    {
        using var client = await Together("/cookie");
        await Get(client, "/cookie");
    }

    private async Task Reentered()
    {
        HttpClient? client = null;
        var provider = ProvideNamed(builder => builder.AddSingleFlight().AddHttpMessageHandler(() => new Asking(() => client!)));
        using (client = Client(provider, Name))
        {
            Gate.Open();
            await Get(client);
        }
    }

    private async Task HandedOver()
    {
        using var client = Client(ProvideNamed(static builder => builder.AddSingleFlight(static options =>
        {
            options.LeaderDeparture = LeaderDeparture.HandOver;
            options.MaxElections = 0;
        })), Name);
        using var source = new CancellationTokenSource();
        var leader = client.GetStringAsync(Server.At("/resource"), source.Token).Soon();
        await Probe.Reached(Started, 1);
        var follower = await Join(client);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);
        Gate.Open();
        await follower;
    }
}
