namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>Limits, and options that are refused.</summary>
public sealed class HttpReviewTestsLimits : HttpTest
{
    [Fact]
    public async Task TotalBuffered_LeadersHaveNotReadTheirBeginnings_StillCounts()
    {
        var contents = new List<PieceContent>();
        var holds = new Dictionary<Uri, Gate>();
        using var upstream = new Upstream(async (sent, token) =>
        {
            await holds[sent.Uri].Opened.WaitAsync(token);
            var content = new PieceContent(PieceContent.Endless(1024).Take(64));
            lock (contents)
            {
                contents.Add(content);
            }

            return Ok(content);
        });
        var options = Options(static options =>
        {
            options.MaxResponseBodyBytes = 32 * 1024;
            options.MaxTotalBufferedBytes = 64 * 1024;
            options.UnshareableDuration = TimeSpan.Zero;
        });
        var client = Client(upstream, Pipeline(options));
        var responses = new List<HttpResponseMessage>();
        for (var i = 0; i < 8; i++)
        {
            var hold = new Gate();
            var uri = new Uri(Address, "?" + i.ToString(System.Globalization.CultureInfo.InvariantCulture));
            holds[uri] = hold;
            var callers = await Start(client, 2, () => Get(uri), HttpCompletionOption.ResponseHeadersRead);
            hold.Open();
            responses.Add(await callers[0]);
            responses.Add(await callers[1]);
        }

        var held = contents.Sum(static content => content.BytesRead);
        responses.ForEach(static response => response.Dispose());
        Assert.InRange(held, 0, options.MaxTotalBufferedBytes + (8 * 1024));
    }

    [Fact]
    public void Sets_WithANullName_AreRefusedWithAMessage()
    {
        var options = new HttpSingleFlightStrategyOptions();
        options.ExcludedHeaders.Add(null!);

        var exception = Record.Exception(() => new ResiliencePipelineBuilder<HttpResponseMessage>().AddSingleFlight(options).Build());

        Assert.IsType<System.ComponentModel.DataAnnotations.ValidationException>(exception);
    }

    [Fact]
    public async Task Body_ShorterThanAnnounced_IsAnErrorForAll()
    {
        using var upstream = new Upstream(Gate, _ => Ok(new PieceContent(PieceContent.Pieces(1, 3), length: 10)));
        var client = Client(upstream);

        var callers = await Start(client, 2, completion: HttpCompletionOption.ResponseHeadersRead);
        Gate.Open();

        var first = await Record.ExceptionAsync(() => callers[0]);
        var second = await Record.ExceptionAsync(() => callers[1]);
        Assert.IsType<HttpRequestException>(first);
        Assert.IsType<HttpRequestException>(second);
    }

    [Fact]
    public async Task Discriminator_EmptyStringValues_Bypasses()
    {
        using var upstream = new Upstream(Gate, _ => Ok("x"));
        var header = default(Microsoft.Extensions.Primitives.StringValues);
        var client = Client(upstream, Pipeline(Options(options => options.Discriminator = _ => header)));

        Task<HttpResponseMessage>[] callers = [client.GetAsync(Address).Soon(), client.GetAsync(Address).Soon()];
        await upstream.Received(2);
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(2, upstream.Calls);
    }
}
