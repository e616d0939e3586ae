using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.DocBlocks;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>C# blocks of the documentation that tests run stand, letter by letter, in <see cref="Snippets"/> or another class of snippets.</summary>
public sealed partial class DocsTests : FlightTest
{
    public static TheoryData<string> Documents =>
        [.. Resources(".md")];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Document_BlocksThatAreSnippets_AreTheSnippets(string document)
    {
        var snippets = Regions();
        Assert.All(DocParser.Blocks(document, Read(document)), block =>
        {
            if (snippets.TryGetValue(block.Name, out var snippet))
            {
                Assert.Equal(snippet, Dedent(block.Body));
            }
        });
    }

    [Fact]
    public void Snippets_AreAllShown()
    {
        var shown = Documents.SelectMany(row => DocParser.Blocks(row.Data, Read(row.Data))).Select(static block => block.Name).ToHashSet();
        Assert.All(Regions().Keys, name => Assert.Contains(name, shown));
    }

    [Fact]
    public void Documents_AreFound() => Assert.Contains("README.md", Documents.Select(row => row.Data));

    [Fact]
    public void HttpPage_NamesEveryReasonOfABypass() =>
        Assert.All(Enum.GetNames<BypassReason>(), static name => Assert.Contains($"`{name}`", Read("docs/http.md"), StringComparison.Ordinal));

    [Fact]
    public void OptionsPage_HasARowForEveryOption() => Assert.All(typeof(SingleFlightStrategyOptions<string>).GetProperties(), static option =>
        Assert.Matches($@"(?m)^\|[^|]*`{option.Name}`[^|]*\|", Read("docs/options.md")));

    [Fact]
    public async Task Snippets_ThatCanRun_Run()
    {
        await Snippets.QuickStart((region, _) => new(region), CancellationToken.None);
        Assert.Equal("prices", await Snippets.Context(Snippets.Composed(), CancellationToken.None));
        Snippets.Groups(_ => { });
        using var cache = new MemoryCache(new MemoryCacheOptions());
        Assert.Equal("prices", await CompositionSnippets.Recommended(cache).ExecuteSingleFlightAsync("key", _ => new ValueTask<string>("prices")));
        Assert.Equal(1, cache.Count);
        Assert.Equal(1, Snippets.KeyGenerator().Execute(() => 1));
        Assert.Equal(2, Snippets.HandOver().MaxElections);
        Assert.Equal("prices", await Snippets.Hop(
            new ResiliencePipelineBuilder().AddSingleFlight().Build(), OnWorker, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(1)));
        var pipeline = Snippets.Sharing();
        using var report = await pipeline.ExecuteSingleFlightAsync("key", _ => new ValueTask<Snippets.Report>(new Snippets.Report(true)), CancellationToken.None);
        Assert.True(report.IsPersonal);
        var services = new ServiceCollection();
        Snippets.Scoped(services);
        await using var provider = services.BuildServiceProvider();
        Assert.NotNull(provider.GetRequiredService<Snippets.PriceClient>());

        static Task<string> OnWorker(Func<Task<string>> work)
        {
            using (ExecutionContext.SuppressFlow())
            {
                return Task.Run(work);
            }
        }
    }

    [Fact]
    public async Task Snippets_OfRegistration_GiveClients()
    {
        var services = new ServiceCollection();
        DependencyInjectionSnippets.Registrations(services, new ConfigurationBuilder().Build());
        DependencyInjectionSnippets.Order(services);
        DependencyInjectionSnippets.OwnPipeline(services, new ConfigurationBuilder().Build());
        await using var provider = services.BuildServiceProvider();
        Assert.NotNull(provider.GetRequiredService<DependencyInjectionSnippets.ILogin>().Http);
        Assert.NotNull(provider.GetRequiredService<DependencyInjectionSnippets.OrderClient>().Http);
        Assert.NotNull(provider.GetRequiredService<DependencyInjectionSnippets.QuoteClient>().Http);
        Assert.NotNull(provider.GetRequiredService<IHttpClientFactory>().CreateClient("prices"));
        var options = DependencyInjectionSnippets.Forget(provider.GetRequiredService<IOptionsMonitor<HttpSingleFlightStrategyOptions>>());
        Assert.Equal(TimeSpan.FromSeconds(2), options.MaxJoinAge);
        Assert.NotNull(options.Group);
    }

    private static Dictionary<string, string> Regions() =>
        Resources("Snippets.cs").SelectMany(file => Region().Matches(Read(file)))
            .ToDictionary(match => match.Groups["name"].Value, match => Dedent(match.Groups["text"].Value));

    private static IEnumerable<string> Resources(string end) =>
        Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.EndsWith(end, StringComparison.Ordinal));

    internal static string Read(string resource)
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
}
