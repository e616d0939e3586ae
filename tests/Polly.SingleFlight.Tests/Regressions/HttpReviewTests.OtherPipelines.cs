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

        var callers = await StartApart(2, i => (i == 0 ? typed : http).SendAsync(Keyed()));
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(2, upstream.Calls);
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
