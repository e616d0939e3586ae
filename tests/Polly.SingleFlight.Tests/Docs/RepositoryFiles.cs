namespace Polly.SingleFlight.Tests.Docs;

/// <summary>The files of the repository that the tests were built from, for tests that read source code.</summary>
internal static class RepositoryFiles
{
    private static readonly string s_root = FindRoot();

    /// <summary>All C# files below the folder that are in the repository, by their path from its root and with their text.</summary>
    /// <param name="folder">A path from the root. A folder that does not exist has no files.</param>
    /// <param name="pattern">The pattern of the names.</param>
    /// <param name="recursively">Whether folders inside count too.</param>
    public static IEnumerable<(string Path, string Text)> Read(string folder, string pattern = "*.cs", bool recursively = true)
    {
        var directory = new DirectoryInfo(Path.Combine(s_root, folder));
        return !directory.Exists
            ? []
            : from file in directory.EnumerateFiles(pattern, recursively ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly)
              let path = Path.GetRelativePath(s_root, file.FullName).Replace('\\', '/')
              where !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
              orderby path
              select (path, File.ReadAllText(file.FullName).ReplaceLineEndings("\n"));
    }

    /// <summary>Tells whether there is a file or a folder with this path from the root.</summary>
    public static bool Exists(string path) => Path.Exists(Path.Combine(s_root, path));

    /// <summary>Reads one file by its path from the root.</summary>
    public static string ReadFile(string path) => File.ReadAllText(Path.Combine(s_root, path)).ReplaceLineEndings("\n");

    /// <summary>Reads the bytes of one file by its path from the root.</summary>
    public static byte[] ReadBytes(string path) => File.ReadAllBytes(Path.Combine(s_root, path));

    /// <summary>Returns the path from the root of what a file calls by a path from its own folder.</summary>
    public static string Combine(string file, string relative) =>
        Path.GetRelativePath(s_root, Path.GetFullPath(Path.Combine(s_root, Path.GetDirectoryName(file)!, relative))).Replace('\\', '/');

    /// <summary>The output of a build is below the root, also with <c>--artifacts-path artifacts/...</c>.</summary>
    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Polly.SingleFlight.sln")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Polly.SingleFlight.sln.");
    }
}
