using Microsoft.AspNetCore.Http;

namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>
/// The base of tests in which a handler inside adds something of the caller's: the server tells each caller what it saw, the first when all
/// have joined, and the others when all of them are there, which they are only if they do not wait for each other.
/// </summary>
public abstract class IdentityTest : ClientTest
{
    internal static readonly string[] Tenants = ["t-one", "t-two", "t-three", "t-four", "t-five"];

    /// <summary>The first caller and the others, in two rounds.</summary>
    internal Gate[] Gates { get; } = [new(), new(), new(), new()];

    /// <summary>The warnings of the guard.</summary>
    internal IEnumerable<FakeLogRecord> GuardWarnings => Warnings.Where(static record => record.Id.Id == 6);

    public override ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Array.ForEach(Gates, static gate => gate.Open());
        return base.DisposeAsync();
    }

    protected override async Task AnswerAsync(HttpContext context)
    {
        var text = await Describe(context.Request);
        await Hold(context);
        await Write(context, text);
    }

    /// <summary>Holds the first answer of a round, and the others until all are there.</summary>
    internal Task Hold(HttpContext context)
    {
        var (round, place) = Math.DivRem(Server.Calls - 1, Tenants.Length);
        return Gates[Math.Min((round * 2) + Math.Min(place, 1), 3)].Opened.WaitAsync(context.RequestAborted);
    }

    /// <summary>All of a request that a test might change.</summary>
    internal static async Task<string> Describe(HttpRequest request)
    {
        using var reader = new StreamReader(request.Body);
        var body = await reader.ReadToEndAsync();
        var headers = request.Headers.Where(static header => header.Key is not ("traceparent" or "Content-Length" or "Transfer-Encoding"))
            .Select(static header => $"{header.Key}={header.Value}");
        return $"{request.Method} {request.Path}{request.QueryString} {string.Join(' ', headers)} {body}";
    }

    /// <summary>Five tenants ask for the same, and each gets what was sent for it; one warning tells of it, and no value.</summary>
    internal async Task EachTenantGetsItsOwn(IServiceProvider provider, string addition, Func<HttpRequestMessage>? create = null)
    {
        using var client = Client(provider);
        await Round(0, client, create);

        // Once more for another resource, which is not remembered.
        await Round(1, client, () => At(create?.Invoke(), "/other"));
        Assert.Contains($" sends {addition} that ", Assert.Single(GuardWarnings).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Records, static record => Tenants.Any(tenant => Text(record).Contains(tenant, StringComparison.Ordinal)));
    }

    /// <summary>The callers ask for the same, and one request is made for all.</summary>
    internal async Task AllShare(IServiceProvider provider, Func<HttpRequestMessage>? create = null)
    {
        using var client = Client(provider);
        var callers = await Depart(client, create);
        Gates[0].Open();

        Assert.Single((await Task.WhenAll(callers)).Distinct());
        Assert.Empty(Warnings);
        Assert.Equal((1, 0), (Probe[Started], Probe[Bypassed]));
    }

    /// <summary>Everything that a record says; the scopes around it are those of the factory, whose log names addresses.</summary>
    internal static string Text(FakeLogRecord record) =>
        $"{record.Message} {string.Join(' ', record.StructuredState ?? [])} {record.Exception}";

    private async Task Round(int round, HttpClient client, Func<HttpRequestMessage>? create)
    {
        var callers = await Depart(client, create);
        Gates[round * 2].Open();
        await Server.Probe.Reached(TestServer.Called, Tenants.Length * (round + 1));
        Gates[(round * 2) + 1].Open();
        Assert.All(Tenants.Zip(await Task.WhenAll(callers)), static pair => Assert.Contains(pair.First, pair.Second, StringComparison.Ordinal));
    }

    private async Task<Task<string>[]> Depart(HttpClient client, Func<HttpRequestMessage>? create)
    {
        var (started, joined) = (Probe[Started], Probe[Joined]);
        var callers = new List<Task<string>>();
        foreach (var tenant in Tenants)
        {
            callers.Add(Ambient.As(tenant, () => Send(client, (create?.Invoke() ?? At(null, "/resource")).By(tenant))).Soon());
            await (callers.Count == 1 ? Probe.Reached(Started, started + 1) : Probe.Reached(Joined, joined + callers.Count - 1));
        }

        return [.. callers];
    }

    private HttpRequestMessage At(HttpRequestMessage? request, string path)
    {
        request ??= new HttpRequestMessage(HttpMethod.Get, Server.At(path));
        request.RequestUri = new Uri(request.RequestUri!, path);
        return request;
    }

    private static async Task<string> Send(HttpClient client, HttpRequestMessage request)
    {
        using (request)
        {
            using var response = await client.SendAsync(request);
            return await response.Content.ReadAsStringAsync();
        }
    }
}
