using System.Runtime.CompilerServices;
using System.Text;

namespace Polly.SingleFlight.Tests.PublicApi;

/// <summary>The checked-in text of a package's public surface.</summary>
internal static class Baseline
{
    /// <summary>The file in the source tree that this build is in; the compiled-in path is of no use after path mapping.</summary>
    public static string PathOf(string package, [CallerFilePath] string thisFile = "")
    {
        var relative = Path.Combine("tests", "Polly.SingleFlight.Tests", "PublicApi");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, relative);
            if (Directory.Exists(candidate))
            {
                return Path.Combine(candidate, package + ".txt");
            }
        }

        return Path.Combine(Path.GetDirectoryName(thisFile)!, package + ".txt");
    }

    /// <summary>The lines that went (-) and came (+), each under the type it belongs to.</summary>
    public static string Difference(string expected, string actual)
    {
        var (before, after) = (expected.Split('\n'), actual.Split('\n'));
        var common = LengthsOfCommonTails(before, after);
        var text = new StringBuilder();
        var (i, j) = (0, 0);
        string? heading = null;
        while (i < before.Length || j < after.Length)
        {
            if (i < before.Length && j < after.Length && before[i] == after[j])
            {
                heading = IsMember(before[i]) ? heading : before[i];
                (i, j) = (i + 1, j + 1);
            }
            else if (j == after.Length || (i < before.Length && common[i + 1, j] >= common[i, j + 1]))
            {
                Append('-', before[i++]);
            }
            else
            {
                Append('+', after[j++]);
            }
        }

        return text.ToString();

        void Append(char sign, string line)
        {
            if (heading is not null && IsMember(line))
            {
                text.Append("  ").Append(heading).Append('\n');
                heading = null;
            }

            text.Append(sign).Append(' ').Append(line).Append('\n');
        }
    }

    private static bool IsMember(string line) => line.StartsWith("    ", StringComparison.Ordinal);

    private static int[,] LengthsOfCommonTails(string[] before, string[] after)
    {
        var lengths = new int[before.Length + 1, after.Length + 1];
        for (var i = before.Length - 1; i >= 0; i--)
        {
            for (var j = after.Length - 1; j >= 0; j--)
            {
                lengths[i, j] = before[i] == after[j]
                    ? lengths[i + 1, j + 1] + 1
                    : Math.Max(lengths[i + 1, j], lengths[i, j + 1]);
            }
        }

        return lengths;
    }
}
