using PuppeteerSharp;

namespace Polly.SingleFlight.BrowserCheck;

/// <summary>Finds and starts the browser.</summary>
internal static class Chromium
{
    private static readonly string[] s_names = ["chromium", "chromium-browser", "google-chrome", "chrome"];

    /// <summary>Starts the browser without a window. Its disposal ends it, and so does the end of this process.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static Task<IBrowser> StartAsync() => Puppeteer.LaunchAsync(new LaunchOptions
    {
        ExecutablePath = Find(),
        Headless = true,
        Timeout = 120_000,
        // Names resolve to nothing, so that no page reaches beyond this machine while it is checked.
        Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "\"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1\""],
    });

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } path)
        {
            return path;
        }

        var candidates =
            from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            from name in s_names
            let file = Path.Combine(folder, OperatingSystem.IsWindows() ? $"{name}.exe" : name)
            where File.Exists(file)
            select file;
        return candidates.FirstOrDefault() ?? throw new FileNotFoundException($"None of {string.Join(", ", s_names)} is in PATH; the variable CHROMIUM can name a browser.");
    }
}
