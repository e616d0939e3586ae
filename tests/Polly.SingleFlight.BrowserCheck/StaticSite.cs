using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;

namespace Polly.SingleFlight.BrowserCheck;

/// <summary>Serves a folder, or one file alone, on loopback and a port that the system picks.</summary>
internal sealed class StaticSite : IAsyncDisposable
{
    private readonly WebApplication _application;

    private StaticSite(WebApplication application, string start)
    {
        _application = application;
        Root = new Uri(application.Urls.Single());
        Start = new Uri(Root, start);
    }

    /// <summary>Where the site begins; pages of other origins are not part of it.</summary>
    public Uri Root { get; }

    /// <summary>The first page.</summary>
    public Uri Start { get; }

    public static async Task<StaticSite> StartAsync(string target)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var application = builder.Build();
        var isFolder = Directory.Exists(target);
        var start = isFolder ? "index.html" : Uri.EscapeDataString(Path.GetFileName(target));
        if (isFolder)
        {
            var types = new FileExtensionContentTypeProvider();
            types.Mappings[".cs"] = "text/plain";
            types.Mappings[".yml"] = "text/plain";
            var files = new PhysicalFileProvider(target);
            application.UseDefaultFiles(new DefaultFilesOptions { FileProvider = files });
            application.UseStaticFiles(new StaticFileOptions
            {
                FileProvider = files,
                ContentTypeProvider = types,
                ServeUnknownFileTypes = true,
                DefaultContentType = "text/plain",
            });
        }
        else
        {
            application.MapGet($"/{start}", () => Results.File(target, "text/html"));
            // Browsers ask for it by themselves.
            application.MapGet("/favicon.ico", () => Results.NoContent());
        }

        await application.StartAsync();
        return new StaticSite(application, start);
    }

    /// <summary>Tells whether an address is one of this site.</summary>
    public bool Holds(Uri address) => address.GetLeftPart(UriPartial.Authority) == Root.GetLeftPart(UriPartial.Authority);

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
