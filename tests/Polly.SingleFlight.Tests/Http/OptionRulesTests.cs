using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>What HTTP options refuse, and how far <c>ShouldShare</c> goes.</summary>
public sealed class OptionRulesTests : HttpTest
{
    public static TheoryData<string, Action<HttpSingleFlightStrategyOptions>> Invalid => new()
    {
        { "ResultCloner", static options => options.ResultCloner = static args => new(args.Result) },
        { "UnsharedOutcome", static options => options.UnsharedOutcome = UnsharedOutcome.ElectNewLeader },
        { "KeyGenerator", static options => options.KeyGenerator = null! },
        { "MaxRequestBodyBytes", static options => options.MaxRequestBodyBytes = -1 },
        { "MaxResponseBodyBytes", static options => options.MaxResponseBodyBytes = -1 },
        { "MaxTotalBufferedBytes", static options => options.MaxTotalBufferedBytes = -1 },
        { "UnshareableDuration", static options => options.UnshareableDuration = TimeSpan.FromTicks(-1) },
        { "MaxBodyWait", static options => options.MaxBodyWait = TimeSpan.FromTicks(-1) },
        { "HarmlessHeaders", static options => options.HarmlessHeaders.Add("") },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void AddSingleFlight_InvalidOption_ThrowsValidationExceptionNamingIt(string name, Action<HttpSingleFlightStrategyOptions> change)
    {
        var options = new HttpSingleFlightStrategyOptions();
        change(options);

        var exception = Assert.Throws<ValidationException>(() => new ResiliencePipelineBuilder<HttpResponseMessage>().AddSingleFlight(options));

        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddSingleFlight_HttpOptionsOnAnotherBuilder_ThrowsArgumentException()
    {
        SingleFlightStrategyOptions options = new HttpSingleFlightStrategyOptions();

        Assert.Throws<ArgumentException>("options", () => new ResiliencePipelineBuilder().AddSingleFlight(options));
        Assert.Throws<ArgumentException>("options", () => new ResiliencePipelineBuilder<string>().AddSingleFlight(options));
    }

    [Fact]
    public void Constructor_Defaults_AreAsDocumented()
    {
        var options = new HttpSingleFlightStrategyOptions();

        Assert.Equal(["GET", "HEAD"], options.Methods.Select(static method => method.Method).Order(StringComparer.Ordinal));
        Assert.Equal(8, options.ExcludedHeaders.Count);
        Assert.Contains("TRACEPARENT", options.ExcludedHeaders);
        Assert.Equal(["DPoP", "Expect", "Upgrade"], options.BypassHeaders.Order(StringComparer.Ordinal));
        Assert.Contains("dpop", options.BypassHeaders);
        Assert.Null(options.Discriminator);
        Assert.Equal((65536, 1048576, 67108864L), (options.MaxRequestBodyBytes, options.MaxResponseBodyBytes, options.MaxTotalBufferedBytes));
        Assert.Equal((false, false, true), (options.ShareNoStoreResponses, options.ShareSetCookieResponses, options.GuardCredentials));
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(1)), (options.UnshareableDuration, options.MaxBodyWait));
        Assert.Contains("ACCEPT-ENCODING", options.HarmlessHeaders);
        Assert.Empty(options.HarmlessHeaders.Intersect(IdentityGuard.Credentials, StringComparer.OrdinalIgnoreCase));
        Assert.False(options.KeepHandlerOrder);
        Assert.Equal("SingleFlight", options.Name);
        Assert.Same(options, options.UseTokenEndpoint());
        Assert.Equal([HttpMethod.Post], HttpSingleFlightStrategyOptions.ForTokenEndpoint().Methods);
        Assert.True(options.ShareNoStoreResponses);
    }

    [Fact]
    public async Task AddSingleFlight_GenericCodeOnTheHttpBuilder_UsesHttpOptions()
    {
        static TBuilder AddTo<TBuilder>(TBuilder builder)
            where TBuilder : ResiliencePipelineBuilderBase => builder.AddSingleFlight();
        var group = new ResiliencePipelineBuilder<HttpResponseMessage>();
        var upstream = new Upstream(Gate, static _ => Ok("shared"));
        using var client = Client(upstream, AddTo(group).Build());
        var callers = new[] { client.GetAsync(Address), client.GetAsync(Address) };
        Gate.Open();

        Assert.Equal(["shared", "shared"], await Bodies(callers));
        Assert.InRange(upstream.Calls, 1, 2);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 5)]
    [InlineData(null, 5)]
    public async Task ShouldShare_SaysYesNoOrThrows_RestrictsSharing(bool? answer, int calls)
    {
        HttpResponseMessage? asked = null;
        var bodies = new List<string>();
        var upstream = new Upstream(Gate, static sent => Ok("answer " + sent.Number));
        var client = Client(upstream, Pipeline(Options(options => options.ShouldShare = async args =>
        {
            asked = args.Outcome.Result;
            bodies.Add(await asked!.Content.ReadAsStringAsync());
            return answer ?? throw new InvalidOperationException();
        })));
        var callers = await Start(client, 5);
        Gate.Open();

        var answers = await Bodies(callers);
        Assert.Equal("answer 1", answers[0]);
        Assert.Equal(calls, answers.Distinct().Count());
        Assert.Equal(calls, upstream.Calls);
        Assert.Equal(["answer 1"], bodies);
        Assert.All(callers, caller => Assert.NotSame(asked, caller.Result));
    }

    [Fact]
    public async Task ShouldShare_SaysYes_CannotMakeUnshareableResponsesShared()
    {
        var upstream = new Upstream(Gate, static sent => Ok("answer " + sent.Number).With("Set-Cookie", "a=b"));
        var client = Client(upstream, Pipeline(Options(static options => options.ShouldShare = static _ => new(true))));
        var callers = await Start(client, 3);
        Gate.Open();

        Assert.Equal(3, (await Bodies(callers)).Distinct().Count());
    }

    [Fact]
    public async Task ShouldShare_OfErrors_IsAskedToo()
    {
        var upstream = new Upstream(Gate, static sent => sent.Number == 1
            ? Ok("busy").Status(HttpStatusCode.ServiceUnavailable)
            : Ok("answer"));
        var client = Client(upstream, Pipeline(Options(static options =>
            options.ShouldShare = static args => new(args.Outcome.Result is { IsSuccessStatusCode: true }))));
        var callers = await Start(client, 4);
        Gate.Open();

        Assert.Equal(["busy", "answer", "answer", "answer"], await Bodies(callers));
        Assert.Equal(4, upstream.Calls);
    }
}
