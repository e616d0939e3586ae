namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>Who is logged on, as an application knows it: ambient, in the options of a request, or in the services of a scope.</summary>
internal static class Ambient
{
    private static readonly AsyncLocal<string?> s_user = new();
    private static readonly HttpRequestOptionsKey<IServiceProvider> s_scope = new("app.scope");

    public static string? User
    {
        get => s_user.Value;
        set => s_user.Value = value;
    }

    public static HttpRequestMessage In(this HttpRequestMessage request, IServiceProvider scope)
    {
        request.Options.Set(s_scope, scope);
        return request;
    }

    public static IServiceProvider Scope(this HttpRequestMessage request) =>
        request.Options.TryGetValue(s_scope, out var scope) ? scope : throw new InvalidOperationException("The request was sent outside of a scope.");

    /// <summary>Runs as this user, and as nobody afterwards.</summary>
    public static async Task<T> As<T>(string user, Func<Task<T>> act)
    {
        User = user;
        return await act();
    }

    public sealed class Tenant
    {
        public string Name { get; set; } = "";
    }
}
