using System.Reflection;

namespace Polly.SingleFlight.WireMock;

/// <summary>What is needed to start the server: its jar and mappings, from the folder with the package.json, and Java.</summary>
internal static class WireMockInstallation
{
    private const string HowToInstall = "run 'npm ci' in tests/Polly.SingleFlight.WireMock/wiremock";

    public static string Folder { get; } = typeof(WireMockInstallation).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(static attribute => attribute.Key == "WireMockFolder").Value!;

    /// <summary>The path of the server's jar, or null if npm has not put it there.</summary>
    public static string? FindJar()
    {
        var folder = Path.Combine(Folder, "node_modules", "wiremock", "build");
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "wiremock-standalone-*.jar").FirstOrDefault() : null;
    }

    /// <summary>The path of Java, of JAVA_HOME first as Java's own tools do, or null if there is none.</summary>
    public static string? FindJava() =>
        (Environment.GetEnvironmentVariable("JAVA_HOME") is { Length: > 0 } home ? FindIn(Path.Combine(home, "bin"), "java") : null)
        ?? FindInPath("java");

    /// <summary>Everything that is missing, with what to do about it, or null if nothing is.</summary>
    public static string? FindWhatIsMissing()
    {
        List<string> missing = [];
        if (FindJava() is null)
        {
            missing.Add("there is no Java: install a Java 17 runtime");
        }

        if (FindJar() is null)
        {
            missing.Add($"the server is not installed: {HowToInstall}" + (FindInPath("npm") is null ? " (npm is missing too, it comes with Node.js)" : ""));
        }

        return missing is [] ? null : "WireMock is not available; " + string.Join("; ", missing);
    }

    private static string? FindInPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => FindIn(folder, program))
            .FirstOrDefault(static path => path is not null);

    private static string? FindIn(string folder, string program)
    {
        string[] names = OperatingSystem.IsWindows() ? [$"{program}.exe", $"{program}.cmd"] : [program];
        return names.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }
}
