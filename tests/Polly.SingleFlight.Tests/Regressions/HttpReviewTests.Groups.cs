namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>Pipelines that share a group and differ in their options.</summary>
public sealed class HttpReviewTestsGroups : HttpTest
{
    [Fact]
    public async Task SharedGroup_FollowersPipelineForbidsSharing_SendsItsOwn()
    {
        using var upstream = new Upstream(Gate, _ => Ok("x"));
        var lenient = Client(upstream, Pipeline(), disposeHandler: false);
        var strict = Client(upstream, Pipeline(Options(static options => options.ShouldShare = static _ => new(false))), disposeHandler: false);

        var callers = await StartApart(2, i => (i == 0 ? lenient : strict).GetAsync(Address));
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(2, upstream.Calls);
    }

    [Theory]
    [InlineData("Set-Cookie", "session=alice")]
    [InlineData("Cache-Control", "no-store")]
    public async Task SharedGroupAndCustomKey_OnlyTheLeadersPipelineShares_FollowerSendsItsOwn(string name, string value)
    {
        using var upstream = new Upstream(Gate, _ =>
        {
            var response = Ok("x");
            response.Headers.Add(name, value);
            return response;
        });
        var lenient = Client(
            upstream,
            Pipeline(Options(static options => options.ShareSetCookieResponses = options.ShareNoStoreResponses = true)),
            disposeHandler: false);
        var strict = Client(upstream, Pipeline(), disposeHandler: false);

        var callers = await StartApart(2, i => (i == 0 ? lenient : strict).SendAsync(Keyed("k")));
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(2, upstream.Calls);
    }

    /// <summary>Each option by itself, since one of several would hide that another is not compared.</summary>
    public static TheoryData<string, Action<HttpSingleFlightStrategyOptions>> Rules => new()
    {
        { "ShareNoStoreResponses", static options => options.ShareNoStoreResponses = !options.ShareNoStoreResponses },
        { "ShareSetCookieResponses", static options => options.ShareSetCookieResponses = !options.ShareSetCookieResponses },
        { "GuardCredentials", static options => options.GuardCredentials = !options.GuardCredentials },
        { "ExcludedHeaders", static options => options.ExcludedHeaders.Add("X-Trace") },
        { "HarmlessHeaders", static options => options.HarmlessHeaders.Add("X-Trace") },
        { "Discriminator", static options => options.Discriminator = static _ => "42" },
        { "ShouldShare", static options => options.ShouldShare = static _ => new(true) },
    };

    [Theory]
    [MemberData(nameof(Rules), DisableDiscoveryEnumeration = true)]
    public async Task SharedGroupAndCustomKey_PipelinesDifferInOneRule_DoNotMeet(string rule, Action<HttpSingleFlightStrategyOptions> change)
    {
        using var upstream = new Upstream(Gate, _ => Ok(rule));
        var one = Client(upstream, Pipeline(), disposeHandler: false);
        var other = Client(upstream, Pipeline(Options(change)), disposeHandler: false);

        var callers = await StartApart(2, i => (i == 0 ? one : other).SendAsync(Keyed("k")));
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(2, upstream.Calls);
    }

    [Fact]
    public async Task SharedGroup_DiscriminatorsOfDifferentMeaning_DoNotMeet()
    {
        using var upstream = new Upstream(Gate, _ => Ok("x"));
        var byUser = Client(upstream, Pipeline(Options(static options => options.Discriminator = static _ => "42")), disposeHandler: false);
        var byTenant = Client(upstream, Pipeline(Options(static options => options.Discriminator = static _ => "42")), disposeHandler: false);

        var first = byUser.GetAsync(Address).Soon();
        await Probe.Reached(Started, 1);
        var second = byTenant.GetAsync(Address).Soon();
        await Probe.Reached(Started, 2);
        Gate.Open();
        await Bodies([first, second]);

        Assert.Equal(2, upstream.Calls);
    }

    [Fact]
    public async Task Guard_AuthorizationExcludedAndKeyGeneratorBuiltOnTheDefault_StillTrips()
    {
        using var upstream = new Upstream(Gate, sent => Ok(sent.Header("Authorization")!));
        var options = Options(static options =>
        {
            options.ExcludedHeaders.Add("Authorization");
            var inherited = options.KeyGenerator;
            options.KeyGenerator = async args => (await inherited(args), "v2");
        });
        var client = Client(upstream, Pipeline(options));

        var callers = await Start(2, i => client.SendAsync(Get(null, ("Authorization", i == 0 ? "Bearer alice" : "Bearer bob"))));
        Gate.Open();

        Assert.Equal(["Bearer alice", "Bearer bob"], await Bodies(callers));
    }

    [Theory]
    [InlineData("one", null, "other", null)]
    [InlineData("one", "a", "one", "b")]
    [InlineData("one", null, null, "one")]
    [InlineData("one", null, null, null)]
    public async Task SharedGroup_PipelinesOfOtherNames_DoNotMeet(string? name, string? instance, string? otherName, string? otherInstance)
    {
        using var upstream = new Upstream(Gate, _ => Ok("x"));
        var one = Client(upstream, Named(name, instance), disposeHandler: false);
        var other = Client(upstream, Named(otherName, otherInstance), disposeHandler: false);

        var callers = await StartApart(2, i => (i == 0 ? one : other).GetAsync(Address));
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(2, upstream.Calls);
    }

    [Fact]
    public async Task SharedGroup_PipelineBuiltAgainUnderItsName_JoinsItsOldFlights()
    {
        using var upstream = new Upstream(Gate, _ => Ok("x"));
        var old = Client(upstream, Named("one", "a"), disposeHandler: false);
        var reloaded = Client(upstream, Named("one", "a"), disposeHandler: false);

        var callers = await Start(2, i => (i == 0 ? old : reloaded).GetAsync(Address));
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(1, upstream.Calls);
    }

    private ResiliencePipeline<HttpResponseMessage> Named(string? name, string? instance) => Pipeline(outside: builder =>
    {
        builder.Name = name;
        builder.InstanceName = instance;
    });

    private static HttpRequestMessage Keyed(object key)
    {
        var request = Get();
        request.SetSingleFlightKey(key);
        return request;
    }
}
