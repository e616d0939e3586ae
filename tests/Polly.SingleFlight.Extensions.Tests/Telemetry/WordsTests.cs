using Microsoft.AspNetCore.Http;
using Polly.Telemetry;

namespace Polly.SingleFlight.Extensions.Tests.Telemetry;

/// <summary>What warnings say in words: the reason, and what to do.</summary>
public sealed class WordsTests : TelemetryTest
{
    private static readonly Dictionary<BypassReason, (string Advice, Action<HttpRequestMessage> Change)> s_advice = new()
    {
        [BypassReason.UnbufferedBody] = ("LoadIntoBufferAsync", static request => request.Content = new StreamContent(new MemoryStream([1]))),
        [BypassReason.BodyTooLarge] = ("larger than MaxRequestBodyBytes", static request => request.Content = new ByteArrayContent(new byte[100])),
        [BypassReason.Header] = ("one of BypassHeaders", static request => request.Headers.CacheControl = new() { NoStore = true }),
        [BypassReason.NoKey] = ("Its URI must be absolute", static request => request.RequestUri = new Uri("/resource", UriKind.Relative)),
    };

    public static TheoryData<string> Advised => [.. s_advice.Keys.Select(static reason => $"{reason}")];

    public static TheoryData<string, string> Unshared => new()
    {
        { "/SetCookie", "SetCookie" },
        { "/NoStore", "NoStore" },
        { "/Vary", "Vary" },
    };

    /// <summary>Other callers of the pipeline have keys, so that its being without any is none of the reasons.</summary>
    [Theory]
    [MemberData(nameof(Advised))]
    public async Task Warning_OfAnOptedInMethod_SaysWhatToDoAboutItsReason(string reason)
    {
        var provider = ProvideNamed(client => client
            .AddSingleFlight(static options =>
            {
                options.Methods.Add(HttpMethod.Post);
                options.MaxRequestBodyBytes = 10;
            })
            .AddHttpMessageHandler(() => new AppHandler(request => request.RequestUri = Server.At("/resource"))));
        Gate.Open();
        await Get(Client(provider, Name));

        // A client would not let a relative URI pass.
        using var invoker = new HttpMessageInvoker(provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(Name), disposeHandler: false);
        using var request = new HttpRequestMessage(HttpMethod.Post, Server.At("/resource"));
        s_advice[Enum.Parse<BypassReason>(reason)].Change(request);
        (await invoker.SendAsync(request, CancellationToken.None).Soon()).Dispose();

        var warning = Assert.Single(Warnings);
        Assert.Contains($"although its method is among Methods ({reason}).", warning.Message, StringComparison.Ordinal);
        Assert.Contains(s_advice[Enum.Parse<BypassReason>(reason)].Advice, warning.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Unshared))]
    public async Task Warning_OfAResponseThatIsNotShared_SaysWhy(string path, string reason)
    {
        using var client = Client(ProvideNamed(static client => client.AddSingleFlight(static options => options.ExcludedHeaders.Add("X-Mine"))), Name);
        using var leading = new HttpRequestMessage(HttpMethod.Get, Server.At(path)).With("X-Mine", "1");
        using var following = new HttpRequestMessage(HttpMethod.Get, Server.At(path)).With("X-Mine", "2");

        var leader = client.SendAsync(leading).Soon();
        await Probe.Reached(Started, 1);
        var follower = client.SendAsync(following).Soon();
        await Probe.Reached(Joined, 1);
        Gate.Open();
        Array.ForEach(await Task.WhenAll(leader, follower), static response => response.Dispose());

        var warning = Assert.Single(Warnings);
        Assert.Contains($"was not shared with those who waited for it ({reason});", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Warning_OfARequestThatWouldWaitForItself_SaysSo()
    {
        HttpClient? client = null;
        var provider = ProvideNamed(builder => builder.AddSingleFlight().AddHttpMessageHandler(() => new Asking(() => client!)));
        using (client = Client(provider, Name))
        {
            Gate.Open();
            await Get(client);
        }

        Assert.Contains("an execution would have waited for itself and ran alone (Reentrancy).", Assert.Single(Warnings).Message, StringComparison.Ordinal);
    }

    /// <summary>A strategy of the application may call its events as it likes, and what it says of them is not ours to repeat.</summary>
    [Theory]
    [InlineData("OnResponseUnshared")]
    [InlineData("OnIdentityGuard")]
    [InlineData("OnFlightCallbackFailed")]
    public async Task Event_OfAnotherStrategyWithOurName_IsNotLogged(string name)
    {
        var provider = ProvideNamed(client => client.AddSingleFlight().AddResilienceHandler("own", pipeline => pipeline.AddStrategy(
            context => new Reporting(name, context.Telemetry), new Reporting.Options())));
        Gate.Open();

        await Get(Client(provider, Name));

        Assert.Contains(PollyRecords, record => record.Message.Contains(name, StringComparison.Ordinal));
        Assert.Empty(Records);
    }

    protected override Task AnswerAsync(HttpContext context)
    {
        switch (context.Request.Path)
        {
            case "/SetCookie":
                context.Response.Headers.SetCookie = "id=1";
                break;
            case "/NoStore":
                context.Response.Headers.CacheControl = "no-store";
                break;
            case "/Vary":
                context.Response.Headers.Vary = "*";
                break;
            default:
                break;
        }

        return base.AnswerAsync(context);
    }

    private sealed class Reporting(string name, ResilienceStrategyTelemetry telemetry) : ResilienceStrategy<HttpResponseMessage>
    {
        protected override ValueTask<Outcome<HttpResponseMessage>> ExecuteCore<TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<HttpResponseMessage>>> callback, ResilienceContext context, TState state)
        {
            telemetry.Report(new ResilienceEvent(ResilienceEventSeverity.Warning, name), context, "a secret of the application");
            return callback(context, state);
        }

        internal sealed class Options : ResilienceStrategyOptions;
    }
}
