using System.Globalization;
using System.Net;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Hit-for-miss: what could not be shared is remembered for a while, so that callers do not wait in vain.</summary>
public sealed class UnshareableMemoryTests : HttpTest
{
    private static readonly Uri s_other = new(Address, "?other");

    private HttpStatusCode _status = HttpStatusCode.OK;
    private Gate _gate = new();

    private Upstream Upstream => field ??= new Upstream(async (sent, token) =>
    {
        await Volatile.Read(ref _gate).Opened.WaitAsync(token);
        return Ok("answer").Status(_status).With("Cache-Control", "no-store");
    });

    [Fact]
    public async Task Unshareable_WithinTheMemory_NextCallersDoNotQueue()
    {
        var client = Client(Upstream);
        await Refuse(client);
        Clock.Advance(TimeSpan.FromSeconds(29));
        _gate = new Gate();

        var callers = Enumerable.Range(0, 5).Select(_ => client.SendAsync(Get())).ToArray();

        await Upstream.Received(7);
        Assert.Equal(1, Probe[Started]);
        Assert.Equal(5, Reasons.Count(static reason => reason == BypassReason.Remembered));
        _gate.Open();
        Assert.All(await Bodies(callers), static body => Assert.Equal("answer", body));
    }

    [Fact]
    public async Task Unshareable_OfOneKey_DoesNotConcernAnother()
    {
        var client = Client(Upstream);
        await Refuse(client);
        await Refuse(client, s_other);

        Assert.Equal(2, Probe[Started]);
        Assert.DoesNotContain(BypassReason.Remembered, Reasons);
    }

    [Fact]
    public async Task Unshareable_AfterTheMemory_CoalescesAgain()
    {
        var client = Client(Upstream);
        await Refuse(client);
        Clock.Advance(TimeSpan.FromSeconds(31));

        await Refuse(client);

        Assert.Equal(2, Probe[Started]);
        Assert.DoesNotContain(BypassReason.Remembered, Reasons);
    }

    [Fact]
    public async Task UnshareableMemory_Zero_NothingIsRemembered()
    {
        var client = Client(Upstream, Pipeline(Options(static options => options.UnshareableDuration = TimeSpan.Zero)));
        await Refuse(client);
        await Refuse(client);

        Assert.Equal(2, Probe[Started]);
        Assert.DoesNotContain(BypassReason.Remembered, Reasons);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(599)]
    public async Task Outage_NoStoreErrorPages_AreNotRemembered(int status)
    {
        _status = (HttpStatusCode)status;
        var client = Client(Upstream);
        await Refuse(client);
        await Refuse(client);

        Assert.Equal(2, Probe[Started]);
        Assert.DoesNotContain(BypassReason.Remembered, Reasons);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    public async Task ClientError_NoStore_IsRemembered(int status)
    {
        _status = (HttpStatusCode)status;
        var client = Client(Upstream);
        await Refuse(client);
        await client.SendAsync(Get());

        Assert.Contains(BypassReason.Remembered, Reasons);
    }

    [Fact]
    public async Task BodyTooLarge_IsRemembered()
    {
        var upstream = new Upstream(async (_, token) =>
        {
            await _gate.Opened.WaitAsync(token);
            return Ok(new PieceContent(PieceContent.Pieces(3, 1000)));
        });
        var client = Client(upstream, Pipeline(Options(static options => options.MaxResponseBodyBytes = 1000)));
        await Refuse(client);
        await client.SendAsync(Get());

        Assert.Contains(BypassReason.Remembered, Reasons);
    }

    [Fact]
    public async Task Memory_IsFull_LeastRecentlyUsedIsForgotten()
    {
        var client = Client(Upstream);
        for (var i = 0; i < 1024; i++)
        {
            await Refuse(client, Numbered(i));
        }

        // The first is used again, so that the second is the one that has to go.
        await IsRemembered(client, Numbered(0));
        await Refuse(client, Numbered(1024));
        Assert.Equal(1025, Probe[Started]);

        await IsRemembered(client, Numbered(0));
        await IsRemembered(client, Numbered(2));
        await IsRemembered(client, Numbered(1024));
        await Refuse(client, Numbered(1));
        Assert.Equal(1026, Probe[Started]);
    }

    private static Uri Numbered(int number) => new(Address, "?" + number.ToString(CultureInfo.InvariantCulture));

    /// <summary>Lets two callers find out that they cannot share.</summary>
    private async Task Refuse(HttpClient client, Uri? uri = null)
    {
        _gate = new Gate();
        var callers = await Start(client, 2, () => Get(uri));
        _gate.Open();
        await Bodies(callers);
    }

    private async Task IsRemembered(HttpClient client, Uri uri)
    {
        var (started, bypassed) = (Probe[Started], Probe[Bypassed]);
        await Body(client.SendAsync(Get(uri)));
        Assert.Equal((started, bypassed + 1), (Probe[Started], Probe[Bypassed]));
        Assert.Equal(BypassReason.Remembered, Reasons[^1]);
    }
}
