using System.Net;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>What happens between the headers and the end of the body, while the flight reads it into memory.</summary>
public sealed class BufferingTests : HttpTest
{
    private readonly Gate _body = new();
    private readonly PieceContent _content;
    private readonly Upstream _upstream;
    private string _vary = "Accept";

    public BufferingTests()
    {
        _content = new PieceContent([new("first"u8.ToArray()), new(" answer"u8.ToArray(), _body)]);
        _upstream = new Upstream(async (sent, token) =>
        {
            await Gate.Opened.WaitAsync(token);
            return (sent.Number == 1 ? Ok(_content) : Ok("answer " + sent.Number)).With("Vary", _vary);
        });
    }

    [Fact]
    public async Task Newcomer_OfAnotherExcludedHeaderThatTheResponseVariesBy_DoesNotShare()
    {
        _vary = "X-Request-Id";
        var client = Client(_upstream);
        var callers = await Land(client, ("X-Request-Id", "1"));
        var same = client.SendAsync(Get(null, ("X-Request-Id", "1")));
        var other = client.SendAsync(Get(null, ("X-Request-Id", "2")));
        await Probe.Reached(Joined, 2);

        _body.Open();

        Assert.All(await Bodies([.. callers, same]), static body => Assert.Equal("first answer", body));
        Assert.Equal("answer 2", await Body(other));
        Assert.Equal(2, _upstream.Calls);
    }

    [Fact]
    public async Task Write_WhileTheBodyIsRead_LaterReadsStartAfresh()
    {
        var client = Client(_upstream);
        var callers = await Land(client);

        (await client.PutAsync(Address, new StringContent("new"))).Dispose();

        Assert.Equal("answer 3", await Body(client.SendAsync(Get())));
        _body.Open();
        Assert.All(await Bodies(callers), static body => Assert.Equal("first answer", body));
    }

    [Fact]
    public async Task Leader_LeavesWhileTheBodyIsRead_FollowersAndNewcomersGetIt()
    {
        var client = Client(_upstream);
        using var source = new CancellationTokenSource();
        var callers = await Start(2, i => client.SendAsync(Get(), i == 0 ? source.Token : default));
        Gate.Open();
        await _content.Stalled.Opened.Soon();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => callers[0]);
        var newcomer = client.SendAsync(Get());
        await Probe.Reached(Joined, 2);

        _body.Open();

        Assert.All(await Bodies([callers[1], newcomer]), static body => Assert.Equal("first answer", body));
        Assert.Equal(1, _upstream.Calls);
        await _content.Disposed.Opened.Soon();
    }

    [Fact]
    public async Task Leader_LeftAndTheBodyBreaks_FollowersGetHttpRequestException()
    {
        var client = Client(_upstream);
        using var source = new CancellationTokenSource();
        var callers = await Start(3, i => client.SendAsync(Get(), i == 0 ? source.Token : default));
        Gate.Open();
        await _content.Stalled.Opened.Soon();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => callers[0]);

        _body.OpenWith(new IOException("cut"));

        foreach (var caller in callers[1..])
        {
            Assert.IsType<IOException>((await Assert.ThrowsAsync<HttpRequestException>(() => caller)).GetBaseException());
        }
    }

    [Fact]
    public async Task BodyTurnsOutTooLarge_LeaderHasLeft_OthersSendTheirOwnAndTheBodyIsGivenUp()
    {
        var client = Client(_upstream, Pipeline(Options(static options => options.MaxResponseBodyBytes = 8)));
        using var source = new CancellationTokenSource();
        var callers = await Start(3, i => client.SendAsync(Get(), i == 0 ? source.Token : default));
        Gate.Open();
        await _content.Stalled.Opened.Soon();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => callers[0]);

        _body.Open();

        Assert.Equal(["answer 2", "answer 3"], (await Bodies(callers[1..])).Order(StringComparer.Ordinal));
        await _content.Disposed.Opened.Soon();
    }

    [Fact]
    public async Task EverybodyLeavesWhileTheBodyIsRead_BodyIsGivenUpAndANewcomerStartsAfresh()
    {
        var client = Client(_upstream);
        using var source = new CancellationTokenSource();
        var callers = await Start(2, _ => client.SendAsync(Get(), source.Token));
        Gate.Open();
        await _content.Stalled.Opened.Soon();
        await source.CancelAsync();
        foreach (var caller in callers)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        }

        await _content.Disposed.Opened.Soon();
        Assert.Equal(0, Group.ActiveFlights);
        Assert.Equal("answer 2", await Body(client.SendAsync(Get())));
    }

    [Fact]
    public async Task RetryInside_BodyBreaks_IsNotRetriedAsTheFlightEndedAtTheHeaders()
    {
        var client = Client(_upstream, Pipeline(inside: static builder => builder.AddRetry(new()
        {
            ShouldHandle = static args => new(args.Outcome.Exception is not null || args.Outcome.Result?.StatusCode == HttpStatusCode.BadGateway),
            Delay = TimeSpan.Zero,
        })));
        var callers = await Land(client);
        _body.OpenWith(new IOException("cut"));

        foreach (var caller in callers)
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => caller);
        }

        Assert.Equal(1, _upstream.Calls);
    }

    [Fact]
    public async Task RetryOutside_BodyBreaks_SendsAgainTogether()
    {
        var upstream = new Upstream(async (sent, token) =>
        {
            await Gate.Opened.WaitAsync(token);
            return sent.Number == 1 ? Ok(_content) : Ok("again");
        });
        var client = Client(upstream, Pipeline(outside: static builder => builder.AddRetry(new()
        {
            ShouldHandle = static args => new(args.Outcome.Exception is HttpRequestException),
            Delay = TimeSpan.Zero,
        })));
        var callers = await Start(client, 4);
        Gate.Open();
        await _content.Stalled.Opened.Soon();
        _body.OpenWith(new IOException("cut"));

        Assert.All(await Bodies(callers), static body => Assert.Equal("again", body));
        Assert.InRange(upstream.Calls, 2, 5);
    }

    /// <summary>Starts two callers and returns when the headers are there and the body is being read.</summary>
    private async Task<Task<HttpResponseMessage>[]> Land(HttpClient client, params (string, string)[] headers)
    {
        var callers = await Start(client, 2, () => Get(null, headers));
        Gate.Open();
        await _content.Stalled.Opened.Soon();
        return callers;
    }
}
