using Microsoft.AspNetCore.Http;
using Refit;

namespace Polly.SingleFlight.Extensions.Tests.Clients;

/// <summary>Clients that Refit generates.</summary>
public sealed class RefitTests : ClientTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Callers_OfAGeneratedClient_AreOneCallAndGetObjectsOfTheirOwn(bool hasDefaults)
    {
        var provider = Provide(services =>
        {
            if (hasDefaults)
            {
                services.ConfigureHttpClientDefaults(static client => client.AddStandard());
            }

            services.AddRefitGeneratedClient<ICatalogue>().ConfigureHttpClient(client => client.BaseAddress = Server.Address).AddSingleFlight();
        });
        var catalogue = provider.GetRequiredService<ICatalogue>();

        var callers = new List<Task<Item>> { catalogue.GetAsync(7, "de").Soon() };
        await Probe.Reached(Started, 1);
        callers.AddRange(Enumerable.Range(1, 99).Select(_ => catalogue.GetAsync(7, "de").Soon()));
        await Probe.Reached(Joined, 99);
        Gate.Open();

        var items = await Task.WhenAll(callers);
        Assert.All(items, static item => Assert.Equal(("7", "de"), (item.Id, item.Language)));
        Assert.Equal(100, items.Distinct(ReferenceEqualityComparer.Instance).Count());
        Assert.Equal(1, Server.Calls);
    }

    [Fact]
    public async Task Callers_WithOtherParameters_AreCallsOfTheirOwn()
    {
        var provider = Provide(services =>
            services.AddRefitGeneratedClient<ICatalogue>().ConfigureHttpClient(client => client.BaseAddress = Server.Address).AddSingleFlight());
        var catalogue = provider.GetRequiredService<ICatalogue>();

        Task<Item>[] callers = [catalogue.GetAsync(7, "de").Soon(), catalogue.GetAsync(7, "en").Soon(), catalogue.GetAsync(8, "de").Soon()];
        await Probe.Reached(Started, 3);
        Gate.Open();

        Assert.Equal(["7 de", "7 en", "8 de"], (await Task.WhenAll(callers)).Select(static item => $"{item.Id} {item.Language}"));
        Assert.Equal(3, Server.Calls);
    }

    protected override async Task AnswerAsync(HttpContext context)
    {
        await Gate.Opened.WaitAsync(context.RequestAborted);
        context.Response.ContentType = "application/json";
        await Write(context, $$"""{"id":"{{context.Request.Path.Value!.Split('/')[^1]}}","language":"{{context.Request.Headers.AcceptLanguage}}"}""");
    }

    internal interface ICatalogue
    {
        [Get("/items/{id}")]
        Task<Item> GetAsync(int id, [Header("Accept-Language")] string language);
    }

    internal sealed class Item
    {
        public string Id { get; set; } = "";

        public string Language { get; set; } = "";
    }
}
