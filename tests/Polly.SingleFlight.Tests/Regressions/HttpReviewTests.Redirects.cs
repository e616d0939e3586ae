using System.Net;
using Microsoft.AspNetCore.Http;
using Polly.Retry;

namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>What a redirect makes of the caller's own request.</summary>
public sealed class HttpReviewTestsRedirects : HttpTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Redirect_ToAnotherHostAndRetryOutside_DoesNotSendTheAuthorizationThere(bool coalesced)
    {
        var seen = new List<string>();
        var other = Serve(await TestServer.StartAsync(async context =>
        {
            seen.Add(context.Request.Headers.Authorization.ToString());
            context.Response.StatusCode = seen.Count == 1 ? 503 : 200;
            await context.Response.WriteAsync("x");
        }));
        var server = Serve(await TestServer.StartAsync(context =>
        {
            context.Response.Redirect(other.At("/there").ToString());
            return Task.CompletedTask;
        }));
        var retry = new RetryStrategyOptions<HttpResponseMessage>
        {
            ShouldHandle = static args => new(args.Outcome.Result?.StatusCode == HttpStatusCode.ServiceUnavailable),
            MaxRetryAttempts = 1,
            Delay = TimeSpan.Zero,
        };
        var pipeline = coalesced
            ? Pipeline(outside: builder => builder.AddRetry(retry))
            : new ResiliencePipelineBuilder<HttpResponseMessage>().AddRetry(retry).Build();
        var client = Client(Sockets(), pipeline);

        using var response = await client.SendAsync(Get(server.Address, ("Authorization", "Bearer secret")));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["", ""], seen);
    }

}
