namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>What callers receive, compared with a client without single flight.</summary>
public sealed class HttpReviewTestsFidelity : HttpTest
{
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Body_AHandlerInsideBufferedAndReadIt_IsWholeForAll(bool dispose)
    {
        using var upstream = new Upstream(Gate, _ => Ok(new PieceContent(PieceContent.Pieces(1, 5))));
        Inside Reader() => new(async (request, send) =>
        {
            var response = await send(request);
            await response.Content.LoadIntoBufferAsync();
            var body = await response.Content.ReadAsStreamAsync();
            using var reader = new StreamReader(body, leaveOpen: !dispose);
            await reader.ReadToEndAsync();
            return response;
        });
        var plain = PlainClient(Chain([Reader()], new Upstream(_ => Ok(new PieceContent(PieceContent.Pieces(1, 5))))));
        Assert.Equal("xxxxx", await Body(plain.GetAsync(Address)));
        var client = Client(upstream, inside: Reader());

        var callers = await Start(client, 2);
        Gate.Open();
        _ = await Record.ExceptionAsync(() => Task.WhenAll(callers));

        Assert.Equal(["xxxxx", "xxxxx"], await Bodies(callers));
    }

    [Fact]
    public async Task ContentLength_KnownWithoutAHeader_IsWhatItWouldBe()
    {
        var plain = PlainClient(new Upstream(_ => Ok("hello")));
        using var expected = await plain.GetAsync(Address, HttpCompletionOption.ResponseHeadersRead);
        using var upstream = new Upstream(Gate, _ => Ok("hello"));
        var client = Client(upstream);

        var callers = await Start(client, 2, completion: HttpCompletionOption.ResponseHeadersRead);
        Gate.Open();
        using var first = await callers[0];
        using var second = await callers[1];

        Assert.Equal(5, expected.Content.Headers.ContentLength);
        Assert.Equal(5, first.Content.Headers.ContentLength);
        Assert.Equal(5, second.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task Vary_HandlerInsideOnlyReadTheHeader_IsShared()
    {
        using var upstream = new Upstream(Gate, _ =>
        {
            var response = Ok("x");
            response.Headers.Add("Vary", "Accept");
            return response;
        });
        var client = Client(upstream, inside: new Inside((request, send) =>
        {
            Assert.Equal(2, request.Headers.Accept.Count);
            return send(request);
        }));

        var callers = await Start(client, 2, () => Get(null, ("Accept", "text/html, application/json")));
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(1, upstream.Calls);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Body_ReadingItAsksForTheSameAgain_DoesNotWaitForItself(int count)
    {
        HttpClient client = null!;
        using var upstream = new Upstream(Gate, sent => sent.Number == 1
            ? Ok(new AskingContent(() => client.GetStringAsync(Address)))
            : Ok("inner"));
        client = Client(upstream);
        using var source = new CancellationTokenSource();

        var callers = await Start(count, _ => client.GetAsync(Address, source.Token));
        Gate.Open();
        try
        {
            foreach (var caller in callers)
            {
                Assert.Equal("inner", await Body(caller).WaitAsync(s_hang));
            }
        }
        finally
        {
            // All callers give up; the flight waits for itself all the same, and whoever asks next joins it.
            await source.CancelAsync();
            _ = await Record.ExceptionAsync(() => Task.WhenAll(callers));
            var isStuck = Group.ActiveFlights > 0;
            foreach (var flight in Group.GetFlights())
            {
                Group.Cancel(flight.Key);
            }

            Assert.False(isStuck, "The flight is still there although all its callers have left.");
        }
    }
}
