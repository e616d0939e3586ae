namespace Polly.SingleFlight.Tests.Http;

/// <summary>What all flights of a strategy hold together while they read bodies.</summary>
public sealed class TotalBufferTests : HttpTest
{
    private readonly Gate _rest = new();
    private readonly Dictionary<string, (Gate Gate, Func<PieceContent> Body)> _answers = [];

    private Upstream Upstream => field ??= new Upstream(async (sent, token) =>
    {
        var (gate, body) = _answers[sent.Uri.Query];
        await gate.Opened.WaitAsync(token);
        return Ok(body());
    });

    private HttpClient Limited => field ??= Client(Upstream, Pipeline(Options(static options => options.MaxTotalBufferedBytes = 1000)));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task MaxTotalBufferedBytes_AnotherFlightFillsIt_NewcomersAreNotSharedUntilItHasLanded(bool announced)
    {
        PieceContent Small() => new([new(new byte[300])], announced ? 300 : null);
        var held = new PieceContent([new(new byte[800]), new(new byte[10], _rest)], announced ? 810 : null);
        var slow = await Land("?slow", () => held);
        await held.Stalled.Opened.Soon();

        // 800 bytes are held and 300 more are too many: everybody sends its own request.
        Assert.All(await Bodies(await Land("?b", Small)), static text => Assert.Equal(300, text.Length));
        Assert.Equal(1 + 2, Upstream.Calls);
        Assert.Equal(1, Probe[Bypassed]);

        _rest.Open();
        Assert.All(await Bodies(slow), static text => Assert.Equal(810, text.Length));
        Assert.All(await Bodies(await Land("?c", Small)), static text => Assert.Equal(300, text.Length));
        Assert.Equal(1 + 2 + 1, Upstream.Calls);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task MaxTotalBufferedBytes_FlightIsAbandonedOrRefused_GivesBackWhatItHeld(bool announced)
    {
        for (var i = 0; i < 5; i++)
        {
            var held = new PieceContent([new(new byte[800]), new(new byte[10], _rest)], announced ? 810 : null);
            using var source = new CancellationTokenSource();
            var abandoned = await Land("?abandoned" + i, () => held, source.Token);
            await held.Stalled.Opened.Soon();
            await source.CancelAsync();
            foreach (var caller in abandoned)
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
            }

            await held.Disposed.Opened.Soon();
            var tooLarge = await Land("?large" + i, static () => new PieceContent(PieceContent.Pieces(11, 100)));
            Assert.All(await Bodies(tooLarge), static text => Assert.Equal(1100, text.Length));
            var broken = await Land("?broken" + i, () => new PieceContent([new(new byte[800]), Broken()], announced ? 810 : null));
            foreach (var caller in broken)
            {
                await Assert.ThrowsAsync<HttpRequestException>(() => caller);
            }
        }

        var calls = Upstream.Calls;
        var small = await Land("?c", () => new PieceContent([new(new byte[300])], announced ? 300 : null));
        Assert.All(await Bodies(small), static text => Assert.Equal(300, text.Length));
        Assert.Equal(calls + 1, Upstream.Calls);
    }

    private static PieceContent.Piece Broken()
    {
        var gate = new Gate();
        gate.OpenWith(new IOException("cut"));
        return new PieceContent.Piece([], gate);
    }

    /// <summary>Starts two callers of the query and lets the headers arrive when both have joined.</summary>
    private async Task<Task<HttpResponseMessage>[]> Land(string query, Func<PieceContent> body, CancellationToken token = default)
    {
        var gate = new Gate();
        _answers[query] = (gate, body);
        var callers = await Start(2, _ => Limited.SendAsync(Get(new Uri(Address, query)), token));
        gate.Open();
        return callers;
    }
}
