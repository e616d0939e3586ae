using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HttpClientDemo;

/// <summary>The endpoint in this process: Kestrel on a loopback port, which counts what reaches it.</summary>
internal sealed class EmbeddedEndpoint : ITokenEndpoint
{
    private readonly DemoOptions _options;
    private readonly WebApplication _server;
    private readonly ConcurrentDictionary<string, int> _calls = new();

    private EmbeddedEndpoint(DemoOptions options)
    {
        _options = options;

        // The empty builder reads no configuration and logs nothing: the environment of the machine cannot change the demo.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.WebHost
            .UseKestrelCore()
            .ConfigureKestrel(static kestrel => kestrel.Listen(
                IPAddress.Loopback, port: 0, static listen => listen.Protocols = HttpProtocols.Http2));
        _server = builder.Build();
        _server.MapPost($"/{TokenClient.Path}", AnswerAsync);
    }

    public string Name => "Kestrel in this process";

    public Uri Address => new(_server.Urls.Single());

    public static async Task<EmbeddedEndpoint> StartAsync(DemoOptions options, CancellationToken cancellationToken)
    {
        var endpoint = new EmbeddedEndpoint(options);
        await endpoint._server.StartAsync(cancellationToken);
        return endpoint;
    }

    public int CallsFor(Region region) => _calls.GetValueOrDefault(region.Name);

    public Task CountAsync() => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync();
        await _server.DisposeAsync();
    }

    private async Task<IResult> AnswerAsync(HttpRequest request, HttpResponse response, CancellationToken requestAborted)
    {
        response.Headers.CacheControl = "no-store";
        if (!request.HasFormContentType)
        {
            return Refuse("invalid_request", "the request is not a form");
        }

        var form = await request.ReadFormAsync(requestAborted);
        var (business, regionName) = (form["business"].ToString(), form["region"].ToString());
        if (form["grant_type"] != "client_credentials")
        {
            return Refuse("unsupported_grant_type", $"the grant type '{form["grant_type"]}' is not supported");
        }

        if (business.Length == 0)
        {
            return Refuse("invalid_request", "the business is missing");
        }

        var call = _calls.AddOrUpdate(regionName, 1, static (_, calls) => calls + 1);
        var region = Region.Supported.FirstOrDefault(region => region.Name == regionName);
        if (_options.FailFirst && region is not null && call == 1)
        {
            return Results.Json(new { error = "temporarily_unavailable" }, statusCode: StatusCodes.Status503ServiceUnavailable);
        }

        await Task.Delay(_options.Scale((region ?? Region.Unsupported).Delay), requestAborted);
        return region is null
            ? Refuse("invalid_request", $"the region '{regionName}' is not supported")
            : Results.Json(new { access_token = $"{business}/{region.Name}/{call}", token_type = "Bearer", expires_in = 3600 });
    }

    private static IResult Refuse(string error, string description) =>
        Results.Json(new { error, error_description = description }, statusCode: StatusCodes.Status400BadRequest);
}
