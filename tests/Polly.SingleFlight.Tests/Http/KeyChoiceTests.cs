namespace Polly.SingleFlight.Tests.Http;

/// <summary>Where a key comes from, and what becomes of one that is missing.</summary>
public sealed class KeyChoiceTests : HttpTest
{
    private static readonly Uri s_other = new(Address, "?other");

    private Upstream Upstream => field ??= new Upstream(Gate, static sent => Ok("answer to " + sent.Uri.PathAndQuery));

    [Fact]
    public async Task KeyGenerator_Custom_ReplacesTheGeneratedKey()
    {
        var client = Client(Upstream, Pipeline(Options(static options => options.KeyGenerator = static _ => new("everything"))));
        var callers = await Start(2, i => client.SendAsync(Get(i == 0 ? Address : s_other)));
        Gate.Open();

        Assert.Equal(["answer to /resource", "answer to /resource"], await Bodies(callers));
        Assert.Equal(1, Upstream.Calls);
    }

    [Fact]
    public async Task KeyGenerator_Custom_CannotMakeIneligibleRequestsJoin()
    {
        Gate.Open();
        var client = Client(Upstream, Pipeline(Options(static options => options.KeyGenerator = static _ => new("everything"))));
        await client.SendAsync(Post("x"));
        await client.SendAsync(Get().With("Cache-Control", "no-store"));

        Assert.Equal([BypassReason.Method, BypassReason.Header], Reasons);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task KeyGenerator_GivesNoKey_Bypasses(string? key)
    {
        Gate.Open();
        var client = Client(Upstream, Pipeline(Options(options => options.KeyGenerator = _ => new(key))));
        await client.SendAsync(Get());

        Assert.Equal(0, Probe[Started]);
        Assert.Equal([BypassReason.NoKey], Reasons);
    }

    [Fact]
    public async Task KeyGenerator_Throws_OnlyThatCallerGetsTheException()
    {
        var calls = 0;
        var client = Client(Upstream, Pipeline(Options(options =>
        {
            var generate = options.KeyGenerator;
            options.KeyGenerator = args => Interlocked.Increment(ref calls) == 2 ? throw new InvalidOperationException("no key") : generate(args);
        })));
        var leader = await Start(client, 1);
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => client.SendAsync(Get()));
        Assert.Equal("no key", exception.Message);
        var follower = client.SendAsync(Get());
        await Probe.Reached(Joined, 1);
        Gate.Open();

        Assert.All(await Bodies([.. leader, follower]), static body => Assert.Equal("answer to /resource", body));
        Assert.Equal(1, Upstream.Calls);
    }

    [Fact]
    public async Task RequestKey_Set_BeatsGeneratorAndDiscriminator()
    {
        var client = Client(Upstream, Pipeline(Options(static options =>
        {
            options.KeyGenerator = static _ => throw new InvalidOperationException("not asked");
            options.Discriminator = static _ => throw new InvalidOperationException("not asked");
        })));
        var callers = await Start(2, i =>
        {
            var request = Get(i == 0 ? Address : s_other);
            request.SetSingleFlightKey(("mine", 1));
            return client.SendAsync(request);
        });
        Gate.Open();

        Assert.Equal(["answer to /resource", "answer to /resource"], await Bodies(callers));
        Assert.Throws<ArgumentNullException>("key", static () => Get().SetSingleFlightKey(null!));
    }

    [Fact]
    public async Task RequestKey_TwoValues_AreTwoFlightsAndEmptyBypasses()
    {
        var client = Client(Upstream);
        var callers = new List<Task<HttpResponseMessage>>();
        foreach (var key in new[] { "a", "b", "" })
        {
            var request = Get();
            request.SetSingleFlightKey(key);
            callers.Add(client.SendAsync(request));
        }

        await Upstream.Received(3);
        Assert.Equal(2, Probe[Started]);
        Assert.Equal([BypassReason.NoKey], Reasons);
        Gate.Open();
        await Bodies(callers);
    }

    [Fact]
    public async Task RequestKey_OnAnIneligibleRequest_DoesNotMakeItJoin()
    {
        Gate.Open();
        var request = Post("x");
        request.SetSingleFlightKey("key");
        await Client(Upstream).SendAsync(request);

        Assert.Equal([BypassReason.Method], Reasons);
    }

    [Fact]
    public async Task Discriminator_Values_SeparateAndUnite()
    {
        var client = Client(Upstream, Pipeline(Options(static options => options.Discriminator = static request => (request.User(), 1))));
        var callers = Enumerable.Range(0, 9).Select(i => client.SendAsync(Get().By("user" + (i % 3)))).ToArray();
        await Probe.Reached(Joined, 6);
        Gate.Open();

        await Bodies(callers);
        Assert.Equal(3, Upstream.Calls);
    }

    [Theory]
    [InlineData(1, 1L)]
    [InlineData(1, "1")]
    [InlineData('a', "a")]
    [InlineData("a", "A")]
    [InlineData(true, "True")]
    public async Task Discriminator_ValuesThatPrintAlike_AreDifferent(object one, object other)
    {
        var values = new Queue<object>([one, other]);
        var client = Client(Upstream, Pipeline(Options(options => options.Discriminator = _ => values.Dequeue())));
        var callers = new[] { client.SendAsync(Get()), client.SendAsync(Get()) };
        await Upstream.Received(2);
        Assert.Equal(2, Probe[Started]);
        Gate.Open();
        await Bodies(callers);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task Discriminator_NullOrEmpty_Bypasses(string? value)
    {
        var client = Client(Upstream, Pipeline(Options(options => options.Discriminator = _ => value)));
        var callers = new[] { client.SendAsync(Get()), client.SendAsync(Get()) };
        await Upstream.Received(2);
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(0, Probe[Started]);
        Assert.Equal([BypassReason.NoKey, BypassReason.NoKey], Reasons);
    }

    [Fact]
    public async Task Discriminator_Throws_OnlyThatCallerGetsTheException()
    {
        var client = Client(Upstream, Pipeline(Options(static options => options.Discriminator =
            static request => request.User() ?? throw new InvalidOperationException("who?"))));
        var callers = await Start(2, _ => client.SendAsync(Get().By("alice")));

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => client.SendAsync(Get()));

        Assert.Equal("who?", exception.Message);
        Gate.Open();
        await Bodies(callers);
        Assert.Equal(1, Upstream.Calls);
    }
}
