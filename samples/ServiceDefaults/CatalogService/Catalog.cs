using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CatalogService;

/// <summary>The service that is called. It answers when it is told to, and its first answer about products is an error.</summary>
internal sealed class Catalog : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, int> _requests = new();
    private readonly TaskCompletionSource _products = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _baskets = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Catalog()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        _app.MapGet("/products", async () =>
        {
            int request = Arrive("/products");
            await _products.Task;
            return request == 1 ? Results.StatusCode(StatusCodes.Status503ServiceUnavailable) : Results.Text("products");
        });
        _app.MapGet("/basket", async (HttpRequest request) =>
        {
            Arrive("/basket");
            await _baskets.Task;
            return Results.Text($"basket of {request.Headers["X-User"]}");
        });
    }

    public string Address => _app.Urls.Single();

    public static async Task<Catalog> StartAsync()
    {
        var catalog = new Catalog();
        await catalog._app.StartAsync();
        return catalog;
    }

    public void Answer() => _products.SetResult();

    public void AnswerBaskets() => _baskets.SetResult();

    public int Requests(string path) => _requests.GetValueOrDefault(path);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private int Arrive(string path) => _requests.AddOrUpdate(path, 1, static (_, count) => count + 1);
}
