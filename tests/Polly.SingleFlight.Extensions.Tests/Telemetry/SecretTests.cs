using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Polly.SingleFlight.Extensions.Tests.Identity;

namespace Polly.SingleFlight.Extensions.Tests.Telemetry;

/// <summary>Whatever happens, no log and no tag holds a URL, a key, a value of a header or a body.</summary>
public sealed class SecretTests : TelemetryTest
{
    private const string Secret = "s3cret";

    [Theory]
    [InlineData("/s3cret/shared", false)]
    [InlineData("/s3cret/shared", true)]
    [InlineData("/s3cret/cookie", false)]
    [InlineData("/s3cret/broken", false)]
    [InlineData("/s3cret/broken", true)]
    public async Task Everything_ThatIsReported_HoldsNoSecret(string path, bool hasKey)
    {
        var settings = new Settings();
        var provider = ProvideNamed(client => client
            .AddSingleFlight(settings.Prices)
            .AddSingleFlight(static options =>
            {
                options.Methods.Add(HttpMethod.Post);
                options.Discriminator = static _ => Secret;
                options.OnFlightCompleted = static _ => throw new InvalidOperationException(Secret);
                options.OnFlightJoined += static _ => throw new InvalidOperationException(Secret);
            })
            .AddRetries()
            .AddHttpMessageHandler(static () => new AddingHeader("X-Tenant", static request => request.Method == HttpMethod.Post ? Secret : null)));
        using var client = Client(provider, Name);

        await Round(client, HttpMethod.Post, path, hasKey);
        await Round(client, HttpMethod.Get, path, hasKey);
        settings.Replace(("MaxElections", Secret));
        await Round(client, HttpMethod.Post, path + "/again", hasKey);

        // The value of an option is named when it is wrong, as it must be.
        var records = Logs.GetSnapshot().Where(static record => record.Category!.StartsWith("Polly", StringComparison.Ordinal)).ToArray();
        Assert.Contains(records, static record => record.Category == Category);
        Assert.Contains(records, static record => record.Category == "Polly");
        Assert.All(records.Where(static record => record.Category == Category), static record => Assert.DoesNotContain(
            Secret, IdentityTest.Text(record).Replace($"MaxElections is '{Secret}'", "", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.All(Of(Events), static measured => Assert.DoesNotContain(measured.Tags, static tag => $"{tag}".Contains(Secret, StringComparison.Ordinal)));
        Assert.All(Of(Executions), static measured => Assert.DoesNotContain(measured.Tags, static tag => $"{tag}".Contains(Secret, StringComparison.Ordinal)));
        Assert.NotEmpty(Of(Events));
    }

    protected override async Task AnswerAsync(HttpContext context)
    {
        await Gate.Opened.WaitAsync(context.RequestAborted);
        if (context.Request.Path.Value!.Contains("broken", StringComparison.Ordinal))
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync(Secret);
            context.Abort();
            return;
        }

        if (context.Request.Path.Value.Contains("cookie", StringComparison.Ordinal))
        {
            context.Response.Headers.SetCookie = Secret;
        }

        await Write(context, Secret);
    }

    private async Task Round(HttpClient client, HttpMethod method, string path, bool hasKey)
    {
        var callers = Enumerable.Range(0, 3).Select(_ => Send(client, method, path, hasKey).Soon()).ToArray();
        Gate.Open();
        await Task.WhenAll(callers);
    }

    private async Task Send(HttpClient client, HttpMethod method, string path, bool hasKey)
    {
        using var request = new HttpRequestMessage(method, Server.At(path)) { Content = method == HttpMethod.Post ? new StringContent(Secret) : null };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Secret);
        if (hasKey)
        {
            request.SetSingleFlightKey(Secret);
        }

        try
        {
            (await client.SendAsync(request)).Dispose();
        }
        catch (HttpRequestException)
        {
            // The broken ones.
        }
    }
}
