using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>Every C# block of the documentation is compiled: it stands, letter by letter, in <see cref="Snippets"/>.</summary>
public sealed partial class DocsTests : FlightTest
{
    public static TheoryData<string> Documents =>
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.EndsWith(".md", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Document_CSharpBlocks_AreCompiledSnippets(string document)
    {
        var snippets = Region().Matches(Read("Snippets.cs")).ToDictionary(match => match.Groups["name"].Value, match => Dedent(match.Groups["text"].Value));
        var text = Read(document);
        var blocks = Block().Matches(text);

        Assert.Equal(text.Split("```csharp").Length - 1, blocks.Count);
        foreach (Match block in blocks)
        {
            var name = block.Groups["name"].Value;
            Assert.True(snippets.TryGetValue(name, out var snippet), $"{document} shows a snippet '{name}' that Snippets.cs does not have.");
            Assert.Equal(snippet, Dedent(block.Groups["text"].Value));
        }
    }

    [Fact]
    public void Documents_AreFound() => Assert.Contains("README.md", Documents.Select(row => row.Data));

    [Fact]
    public async Task Snippets_ThatCanRun_Run()
    {
        await Snippets.QuickStart((region, _) => new(region), CancellationToken.None);
        Assert.Equal("prices", await Snippets.Context(Snippets.Composed(), CancellationToken.None));
        Snippets.Groups(_ => { });
        Assert.Equal(1, Snippets.KeyGenerator().Execute(() => 1));
        Assert.Equal(2, Snippets.HandOver().MaxElections);
        var pipeline = Snippets.Sharing();
        using var report = await pipeline.ExecuteSingleFlightAsync("key", _ => new ValueTask<Snippets.Report>(new Snippets.Report(true)), CancellationToken.None);
        Assert.True(report.IsPersonal);
        var services = new ServiceCollection();
        Snippets.Scoped(services);
        await using var provider = services.BuildServiceProvider();
        Assert.NotNull(provider.GetRequiredService<Snippets.PriceClient>());
    }

    private static string Read(string resource)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private static string Dedent(string text)
    {
        var lines = text.Trim('\n').TrimEnd().Split('\n');
        var indent = lines.Where(line => line.Length > 0).Min(line => line.Length - line.TrimStart().Length);
        return string.Join('\n', lines.Select(line => line.Length > indent ? line[indent..] : line.TrimEnd()));
    }

    [GeneratedRegex(@"#region (?<name>[\w-]+)\n(?<text>.*?)\n *#endregion", RegexOptions.Singleline)]
    private static partial Regex Region();

    [GeneratedRegex(@"<!-- snippet: (?<name>[\w-]+) -->\n```csharp\n(?<text>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
