using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>Kestrel on a loopback port of its choice. Handlers hold responses with gates, before the headers or anywhere in the body.</summary>
public sealed class TestServer : IAsyncDisposable
{
    public const string Called = "called";
    public const string Aborted = "aborted";

    private readonly WebApplication _app;

    private TestServer(WebApplication app, Probe probe)
    {
        (_app, Probe) = (app, probe);
        Address = new Uri(Assert.Single(app.Urls));
    }

    public Uri Address { get; }

    /// <summary>Counts calls, and those whose caller went away: all by <see cref="Called"/>, of one path by <c>called /path</c>.</summary>
    public Probe Probe { get; }

    public int Calls => Probe[Called];

    public Uri At(string pathAndQuery) => new(Address, pathAndQuery);

    /// <param name="handle">Answers a request.</param>
    /// <param name="protocol">HTTP/1.1, or HTTP/2 without TLS.</param>
    public static async Task<TestServer> StartAsync(RequestDelegate handle, HttpProtocols protocol = HttpProtocols.Http1)
    {
        var probe = new Probe();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocol);
        });
        var app = builder.Build();
        app.Run(async context =>
        {
            var isAnswered = false;
            context.RequestAborted.Register(() =>
            {
                if (!Volatile.Read(ref isAnswered))
                {
                    probe.Hit(Aborted);
                }
            });
            probe.Hit(Called);
            probe.Hit($"{Called} {context.Request.Path}");
            try
            {
                await handle(context);
                Volatile.Write(ref isAnswered, true);
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
            {
                // The caller went away; nobody is left to tell.
            }
        });
        await app.StartAsync();
        return new TestServer(app, probe);
    }

    public async ValueTask DisposeAsync()
    {
        // No grace: what is still held is held by a test that has failed.
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }
}
