using System.Text.RegularExpressions;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>
/// The engine shares executions of any kind, so its source does not mention HTTP. The sharing code answers with values, so its source does not
/// mention the waits of callers.
/// </summary>
public sealed class EngineSourceTests
{
    private const string Library = "src/Polly.SingleFlight";

    [Fact]
    public void Engine_DoesNotMentionHttp()
    {
        var folders = RepositoryFiles.Read($"{Library}/Flights").Concat(RepositoryFiles.Read($"{Library}/Execution")).ToArray();
        Assert.NotEmpty(folders);
        var engine = folders.Concat(RepositoryFiles.Read(Library, "SingleFlightResilienceStrategy*.cs", recursively: false));

        DoNotMention(engine, "Http|HTTP");
    }

    /// <summary>The types are those of a flight with its callers, a caller's wait, the ring of followers, and the lock of a stripe.</summary>
    [Theory]
    [InlineData("Sharing", "*.cs")]
    [InlineData("Http", "HttpSharing*.cs")]
    public void Sharing_DoesNotMentionWaits(string folder, string pattern)
    {
        var sharing = RepositoryFiles.Read($"{Library}/{folder}", pattern).ToArray();
        Assert.NotEmpty(sharing);

        DoNotMention(sharing, @"\b(Flight|Waiter|Followers|Landing|Election|FlightStripe|Gate)\b");
    }

    private static void DoNotMention(IEnumerable<(string Path, string Text)> files, string pattern) =>
        Assert.All(files, file => Assert.All(file.Text.Split('\n'), (line, index) => Assert.False(
            Regex.IsMatch(line, pattern), $"{file.Path}, line {index + 1}: {line.Trim()}")));
}
