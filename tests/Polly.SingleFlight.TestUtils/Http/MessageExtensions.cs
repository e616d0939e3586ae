using System.Net;

namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>Messages in one line.</summary>
public static class MessageExtensions
{
    private static readonly HttpRequestOptionsKey<string> s_user = new("test.user");

    public static HttpRequestMessage With(this HttpRequestMessage request, string name, string value)
    {
        Assert.True(request.Headers.TryAddWithoutValidation(name, value) || request.Content!.Headers.TryAddWithoutValidation(name, value));
        return request;
    }

    public static HttpResponseMessage With(this HttpResponseMessage response, string name, string value)
    {
        Assert.True(response.Headers.TryAddWithoutValidation(name, value) || Replace(response.Content, name, value));
        return response;
    }

    public static HttpResponseMessage Status(this HttpResponseMessage response, HttpStatusCode status)
    {
        response.StatusCode = status;
        return response;
    }

    /// <summary>Says who sends the request, in a way that no header shows.</summary>
    public static HttpRequestMessage By(this HttpRequestMessage request, string user)
    {
        request.Options.Set(s_user, user);
        return request;
    }

    public static string? User(this HttpRequestMessage request) => request.Options.TryGetValue(s_user, out var user) ? user : null;

    private static bool Replace(HttpContent content, string name, string value)
    {
        content.Headers.Remove(name);
        return content.Headers.TryAddWithoutValidation(name, value);
    }
}
