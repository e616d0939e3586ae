using System.Runtime.CompilerServices;

namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>A group shared between HTTP options and typed options with a cloner, under one key of the user's own.</summary>
public sealed class HttpReviewTestsOtherPipelines : HttpTest
{
    [Fact]
    public async Task TypedPipelineLeads_ResponseSetsACookie_HttpFollowerSendsItsOwn()
    {
        using var upstream = new Upstream(Gate, _ =>
        {
            var response = Ok("x");
            response.Headers.Add("Set-Cookie", "session=alice");
            return response;
        });
        var typed = Client(upstream, Typed(), disposeHandler: false);
        var http = Client(upstream, Pipeline(), disposeHandler: false);

        var callers = await Start(2, i => (i == 0 ? typed : http).SendAsync(Keyed()));
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(2, upstream.Calls);
    }

    [Fact]
    public async Task TypedPipelineHandsOver_HttpFollowerLeads_SendsAClone()
    {
        using var upstream = new Upstream(Gate, _ => Ok("x"));
        var typed = Client(upstream, Typed(), disposeHandler: false);
        var http = Client(upstream, Pipeline(), disposeHandler: false);
        using var source = new CancellationTokenSource();
        var mine = Keyed();

        var callers = await Start(2, i => i == 0 ? typed.SendAsync(Keyed(), source.Token) : http.SendAsync(mine));
        await source.CancelAsync();
        await upstream.Received(2);
        Gate.Open();
        using var response = await callers[1];

        Assert.NotSame(mine, upstream.Requests[1].Message);
    }

    [Fact]
    public async Task LeaderLeft_FlightGoesOn_LeadersRequestIsNotKept()
    {
        using var upstream = new Upstream(Gate, _ => Ok("x"));
        var client = Client(upstream);
        using var source = new CancellationTokenSource();

        var (request, leader) = Lead(client, source.Token);
        await Probe.Reached(Started, 1);
        var follower = client.GetAsync(Address).Soon();
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await leader;

        var isKept = await IsKept(request);
        Gate.Open();
        Assert.Equal("x", await Body(follower));

        // If this fails, it is not the flight that keeps it.
        Assert.False(await IsKept(request));
        Assert.False(isKept);
    }

    private static async Task<bool> IsKept(WeakReference request)
    {
        for (var i = 0; i < 5; i++)
        {
            await Task.Yield();
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return request.IsAlive;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (WeakReference Request, Task Leader) Lead(HttpClient client, CancellationToken token)
    {
        var request = Get();
        return (new WeakReference(request), Task.Run(async () => _ = await Record.ExceptionAsync(() => client.SendAsync(Take(ref request), token)), CancellationToken.None));
    }

    private static HttpRequestMessage Take(ref HttpRequestMessage? request)
    {
        var taken = request!;
        request = null;
        return taken;
    }

    private static HttpRequestMessage Keyed()
    {
        var request = Get();
        request.SetSingleFlightKey("k");
        return request;
    }

    private ResiliencePipeline<HttpResponseMessage> Typed()
    {
        var options = Watched(new SingleFlightStrategyOptions<HttpResponseMessage>
        {
            KeyGenerator = static _ => new("k"),
            LeaderDeparture = LeaderDeparture.HandOver,
            ResultCloner = static args =>
            {
                var copy = Ok("x");
                foreach (var (name, values) in args.Result.Headers.NonValidated)
                {
                    copy.Headers.TryAddWithoutValidation(name, values);
                }

                return new(copy);
            },
        });
        return new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = Clock }.AddSingleFlight(options).Build();
    }
}
