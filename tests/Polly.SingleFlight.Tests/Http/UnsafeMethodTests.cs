using System.Net;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>A read that starts after a write never joins an older read.</summary>
public sealed class UnsafeMethodTests : HttpTest
{
    private readonly Gate _write = new();

    private Upstream Upstream => field ??= new Upstream(async (sent, token) =>
    {
        await (sent.Method == HttpMethod.Get ? Gate : _write).Opened.WaitAsync(token);
        return Ok("answer " + sent.Number);
    });

    public static TheoryData<string> Writes => ["PUT", "POST", "PATCH", "DELETE", "MERGE", "PROPPATCH", "LOCK", "PURGE"];

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task Write_WhileAReadIsHeld_LaterReadsStartAfreshBeforeAndAfterItEnds(string method)
    {
        var client = Client(Upstream);
        var old = await Start(client, 2);
        var write = client.SendAsync(new HttpRequestMessage(new HttpMethod(method), Address));
        await Upstream.Received(2);

        var during = await Start(client, 2);
        await Upstream.Received(3);
        _write.Open();
        Assert.Equal("answer 2", await Body(write));
        var after = await Start(client, 2);
        await Upstream.Received(4);
        Gate.Open();

        Assert.Equal(["answer 1", "answer 1"], await Bodies(old));
        Assert.Equal(["answer 3", "answer 3"], await Bodies(during));
        Assert.Equal(["answer 4", "answer 4"], await Bodies(after));
        Assert.Equal(4, Upstream.Calls);
    }

    [Fact]
    public async Task Write_IsReportedFirst_ReadFromBeforeItIsSentIsNotJoinedLater()
    {
        var reported = new Gate();
        var options = Options();
        var watched = options.OnFlightBypassed;
        options.OnFlightBypassed = async args =>
        {
            await reported.Opened;
            await watched!(args);
        };
        var client = Client(Upstream, Pipeline(options));
        var write = client.PutAsync(Address, new StringContent("x"));
        var before = await Start(client, 2);
        await Upstream.Received(1);
        reported.Open();
        await Upstream.Received(2);

        var during = await Start(client, 2);
        await Upstream.Received(3);
        _write.Open();
        Gate.Open();

        Assert.Equal("answer 2", await Body(write));
        Assert.Equal(["answer 1", "answer 1"], await Bodies(before));
        Assert.Equal(["answer 3", "answer 3"], await Bodies(during));
    }

    [Theory]
    [InlineData("throws")]
    [InlineData("500")]
    [InlineData("cancelled")]
    public async Task Write_Fails_LaterReadsStartAfreshAllTheSame(string failure)
    {
        var upstream = new Upstream(async (sent, token) =>
        {
            await (sent.Method == HttpMethod.Get ? Gate : _write).Opened.WaitAsync(token);
            return sent.Method == HttpMethod.Get ? Ok("answer " + sent.Number)
                : failure == "throws" ? throw new HttpRequestException("refused")
                : Ok("").Status(HttpStatusCode.InternalServerError);
        });
        var client = Client(upstream);
        using var source = new CancellationTokenSource();
        var write = client.PutAsync(Address, new StringContent("x"), source.Token);
        await upstream.Received(1);
        var old = await Start(client, 2);

        if (failure == "cancelled")
        {
            await source.CancelAsync();
        }

        _write.Open();
        await Task.WhenAny(write).Soon();
        Assert.Equal(failure == "500", write.IsCompletedSuccessfully);
        _ = write.Exception;
        var after = await Start(client, 2);
        await upstream.Received(3);
        Gate.Open();

        Assert.Equal(["answer 2", "answer 2"], await Bodies(old));
        Assert.Equal(["answer 3", "answer 3"], await Bodies(after));
    }

    [Fact]
    public async Task Write_OfTheUri_ForgetsItsFlightsWhateverTheirKeyAndFragment()
    {
        var client = Client(Upstream);
        await Start(client, 1, static () => Get(null, ("Accept", "text/plain")));
        await Start(client, 1, static () => Get(new Uri(Address, "#top"), ("Authorization", "Bearer alice")));
        var custom = Get();
        custom.SetSingleFlightKey("mine");
        await Start(1, _ => client.SendAsync(custom));
        await Start(client, 1, static () => Get(new Uri(Address, "?other")));
        Assert.Equal(4, Group.ActiveFlights);

        var write = client.PutAsync(new Uri(Address, "#bottom"), null);
        await Upstream.Received(5);

        Assert.Equal(1, Group.ActiveFlights);
        _write.Open();
        await write;
        Assert.Equal(1, Group.ActiveFlights);
        Gate.Open();
    }

    [Fact]
    public async Task Write_ThatIsNotCoalescedAnyway_ForgetsToo()
    {
        var client = Client(Upstream);
        var old = await Start(client, 1);
        _write.Open();
        using var request = new HttpRequestMessage(HttpMethod.Delete, Address).With("Upgrade", "x");
        request.DisableSingleFlight();

        await client.SendAsync(request);

        Assert.Equal(0, Group.ActiveFlights);
        Gate.Open();
        Assert.Equal(["answer 1"], await Bodies(old));
    }

    [Fact]
    public async Task Post_ThatIsOptedIn_ForgetsNothing()
    {
        _write.Open();
        var client = Client(Upstream, Pipeline(PostOptions()));
        var old = await Start(client, 1);
        Assert.Equal("answer 2", await Body(client.SendAsync(Post("query"))));

        Assert.Equal(1, Group.ActiveFlights);
        Gate.Open();
        Assert.Equal(["answer 1"], await Bodies(old));
    }

    [Theory]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    [InlineData("QUERY")]
    public async Task SafeMethod_OfTheSameUri_ForgetsNothing(string method)
    {
        _write.Open();
        var client = Client(Upstream);
        var old = await Start(client, 1);
        (await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), Address))).Dispose();

        Assert.Equal(1, Group.ActiveFlights);
        Gate.Open();
        Assert.Equal(["answer 1"], await Bodies(old));
    }

    [Fact]
    public async Task ForgetUri_FlightsOfIt_NewcomersStartAfresh()
    {
        var client = Client(Upstream);
        var old = await Start(client, 2);

        Assert.False(Group.ForgetUri(new Uri(Address, "?other")));
        Assert.Equal(1, Group.ActiveFlights);
        Assert.True(Group.ForgetUri(new Uri(Address, "#fragment")));
        Assert.False(Group.ForgetUri(Address));
        Assert.Equal(0, Group.ActiveFlights);

        var fresh = await Start(client, 2);
        Gate.Open();
        Assert.Equal(["answer 1", "answer 1"], await Bodies(old));
        Assert.Equal(["answer 2", "answer 2"], await Bodies(fresh));
        Assert.Throws<ArgumentNullException>("uri", () => Group.ForgetUri(null!));
        Assert.Throws<ArgumentException>("uri", () => Group.ForgetUri(new Uri("/relative", UriKind.Relative)));
    }
}
