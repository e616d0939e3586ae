using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Tokens;

/// <summary>A token endpoint and an API that knows one valid token.</summary>
internal sealed class Upstream : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TaskCompletionSource _late = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _together = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string _valid = "";
    private int _expectedCallers;
    private int _tokens;
    private int _rejected;

    private Upstream()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        _app.MapPost("/connect/token", () =>
        {
            Interlocked.Increment(ref _tokens);
            return Results.Json(new { access_token = _valid = Guid.NewGuid().ToString(), token_type = "Bearer", expires_in = 3600 });
        });
        _app.MapGet("/orders", AnswerAsync);
    }

    public Uri Address => new(_app.Urls.Single());

    public static async Task<Upstream> StartAsync()
    {
        var upstream = new Upstream();
        await upstream._app.StartAsync();
        return upstream;
    }

    /// <summary>The token is not valid any more. The callers get their 401 when so many of them wait for an answer.</summary>
    public void Revoke(int expectedCallers)
    {
        _expectedCallers = expectedCallers;
        _valid = "";
    }

    public void AnswerLate() => _late.SetResult();

    public int TakeTokens() => Interlocked.Exchange(ref _tokens, 0);

    public int TakeRejected() => Interlocked.Exchange(ref _rejected, 0);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task<IResult> AnswerAsync(HttpRequest request, bool late = false)
    {
        if (request.Headers.Authorization == $"Bearer {_valid}")
        {
            return Results.Text("orders");
        }

        if (late)
        {
            await _late.Task;
        }
        else
        {
            int missing = Interlocked.Decrement(ref _expectedCallers);
            if (missing == 0)
            {
                _together.SetResult();
            }
            else if (missing > 0)
            {
                await _together.Task;
            }
        }

        Interlocked.Increment(ref _rejected);
        return Results.Unauthorized();
    }
}
