namespace CatalogService;

internal sealed class ProductClient(HttpClient http)
{
    public Task<string> GetAsync() => http.GetStringAsync("products");
}

internal sealed class BasketClient(HttpClient http)
{
    public Task<string> GetAsync(string user)
    {
        UserHandler.User.Value = user;
        return http.GetStringAsync("basket");
    }
}

/// <summary>Adds the user in whose name a request is sent.</summary>
internal sealed class UserHandler : DelegatingHandler
{
    public static readonly AsyncLocal<string> User = new();

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.Add("X-User", User.Value);
        return base.SendAsync(request, cancellationToken);
    }
}
