namespace Polly.SingleFlight.Tests.Docs;

/// <summary>The engine shares executions of any kind, so its source does not mention HTTP.</summary>
public sealed class EngineSourceTests
{
    private const string Library = "src/Polly.SingleFlight";

    [Fact]
    public void Engine_DoesNotMentionHttp()
    {
        var folders = RepositoryFiles.Read($"{Library}/Flights").Concat(RepositoryFiles.Read($"{Library}/Execution")).ToArray();
        Assert.NotEmpty(folders);
        var engine = folders.Concat(RepositoryFiles.Read(Library, "SingleFlightResilienceStrategy*.cs", recursively: false));

        Assert.All(engine, static file => Assert.All(file.Text.Split('\n'), (line, index) => Assert.False(
            line.Contains("Http", StringComparison.Ordinal) || line.Contains("HTTP", StringComparison.Ordinal),
            $"{file.Path}, line {index + 1}: {line.Trim()}")));
    }
}
