namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>Keys of the user's own.</summary>
public sealed class HttpReviewTestsCustomKeys : HttpTest
{
    [Fact]
    public async Task Guard_CustomKeyWithoutTheIdentity_FollowerWithOtherCredentialsSendsItsOwn()
    {
        using var upstream = new Upstream(Gate, sent => Ok(sent.Header("Authorization")!));
        var client = Client(upstream, Pipeline(ByUri()));

        var callers = await Start(2, i => client.SendAsync(Get(null, ("Authorization", i == 0 ? "Bearer alice" : "Bearer bob"))));
        Gate.Open();

        Assert.Equal(["Bearer alice", "Bearer bob"], await Bodies(callers));
    }

    [Fact]
    public async Task KeyOfTheUri_HeadLeads_GetReceivesABody()
    {
        using var upstream = new Upstream(Gate, sent => sent.Method == HttpMethod.Head ? new HttpResponseMessage() : Ok("body"));
        var client = Client(upstream, Pipeline(ByUri()));

        var callers = await Start(2, i => client.SendAsync(new HttpRequestMessage(i == 0 ? HttpMethod.Head : HttpMethod.Get, Address)));
        Gate.Open();

        Assert.Equal(["", "body"], await Bodies(callers));
    }

    [Fact]
    public async Task Body_AFollowersStreamWritesIntoWhatItIsGiven_OthersReadWhatWasSent()
    {
        using var upstream = new Upstream(Gate, _ => Ok("secret"));
        var client = Client(upstream);

        var callers = await Start(client, 2, completion: HttpCompletionOption.ResponseHeadersRead);
        Gate.Open();
        using var first = await callers[0];
        using var second = await callers[1];
        await first.Content.CopyToAsync(new Masking());

        Assert.Equal("secret", await second.Content.ReadAsStringAsync());
    }

    private HttpSingleFlightStrategyOptions ByUri() => Options(static options => options.KeyGenerator = static args =>
        new(args.Context.GetRequestMessage()!.RequestUri));

    /// <summary>Masks in place, as some ciphers do.</summary>
    private sealed class Masking : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(buffer, out var array));
            array.AsSpan().Fill((byte)'*');
            return default;
        }
    }
}
