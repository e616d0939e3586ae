using System.Text.RegularExpressions;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>Links between the documents of the repository lead to files and headings that exist.</summary>
public sealed partial class LinkTests
{
    private static readonly (string Path, string Text)[] s_documents =
    [
        .. RepositoryFiles.Read("", "*.md", recursively: false),
        .. RepositoryFiles.Read(".github", "*.md"),
        .. RepositoryFiles.Read("benchmarks", "*.md"),
        .. RepositoryFiles.Read("docs", "*.md"),
        .. RepositoryFiles.Read("samples", "*.md"),
        .. RepositoryFiles.Read("src", "*.md"),
        .. RepositoryFiles.Read("tests", "*.md"),
    ];

    /// <summary>What absolute links to files of the repository begin with.</summary>
    private static readonly string s_repositoryFiles = $"{PackageMetadataTests.RepositoryUrl}/blob/main/";

    public static TheoryData<string> Documents => [.. s_documents.Select(static document => document.Path)];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Links_LeadToFilesAndHeadingsThatExist(string path) => Assert.All(LinksOf(path), link =>
    {
        var inRepository = link.StartsWith(s_repositoryFiles, StringComparison.OrdinalIgnoreCase);
        if (!inRepository && Uri.TryCreate(link, UriKind.Absolute, out var uri))
        {
            Assert.Equal(Uri.UriSchemeHttps, uri.Scheme);
            Assert.False(link.StartsWith(PackageMetadataTests.RepositoryUrl, StringComparison.OrdinalIgnoreCase), $"{path}: {link} leads to no file of main.");
            return;
        }

        var (file, heading) = link.Split('#') is [var first, var second] ? (first, second) : (link, null);
        var target = inRepository ? file[s_repositoryFiles.Length..] : file.Length == 0 ? path : RepositoryFiles.Combine(path, file);
        Assert.True(RepositoryFiles.Exists(target), $"{path} links to {target}, which does not exist.");
        Assert.True(heading is null || Headings(target).Contains(heading), $"{path} links to '#{heading}' of {target}, which has no such heading.");
    });

    /// <summary>The readme of a package is shown where the repository is not.</summary>
    [Fact]
    public void ReadmesOfPackages_HaveAbsoluteLinksOnly() =>
        Assert.All(s_documents.Where(static document => document.Path.StartsWith("src/", StringComparison.Ordinal)), document =>
            Assert.All(LinksOf(document.Path), static link => Assert.True(Uri.IsWellFormedUriString(link, UriKind.Absolute), link)));

    [Fact]
    public void EveryPackage_HasAReadmeThatNamesIt() =>
        Assert.All(RepositoryFiles.Read("src", "*.csproj"), static project => Assert.StartsWith(
            $"# {Path.GetFileNameWithoutExtension(project.Path)}\n",
            RepositoryFiles.Read(Path.GetDirectoryName(project.Path)!, "README.md").Single().Text,
            StringComparison.Ordinal));

    [Fact]
    public void Index_ListsEveryPage()
    {
        var listed = LinksOf("docs/README.md").ToHashSet();
        Assert.All(RepositoryFiles.Read("docs", "*.md", recursively: false).Where(static page => page.Path != "docs/README.md"), page =>
            Assert.Contains(Path.GetFileName(page.Path), listed));
    }

    /// <summary>The site shows a page that its contents do not list without a place among the others.</summary>
    [Fact]
    public void ContentsOfTheSite_ListEveryPage()
    {
        var contents = RepositoryFiles.ReadFile("docs/toc.yml");
        Assert.All(RepositoryFiles.Read("docs", "*.md", recursively: false), page =>
            Assert.Contains($" href: {Path.GetFileName(page.Path)}\n", contents, StringComparison.Ordinal));
    }

    [Fact]
    public void FirstPage_IsShort() => Assert.InRange(s_documents.Single(static document => document.Path == "README.md").Text.Split('\n').Length, 1, 150);

    [Fact]
    public void EveryPage_OpensWithOneSentence() => Assert.All(RepositoryFiles.Read("docs", "*.md", recursively: false), static page =>
    {
        var opening = Opening().Match(page.Text).Groups["text"].Value;
        Assert.True(opening.EndsWith('.') && !opening.Contains(". ", StringComparison.Ordinal) && !opening.Contains(".\n", StringComparison.Ordinal), $"{page.Path}: {opening}");
    });

    private static string[] LinksOf(string path)
    {
        var text = CodeBlock().Replace(s_documents.Single(document => document.Path == path).Text, "");
        return [.. Link().Matches(CodeSpan().Replace(text, "")).Select(static link => link.Groups["target"].Value)];
    }

    /// <summary>Names of the headings as repositories on the web make them: small letters, hyphens for spaces, no punctuation.</summary>
    private static HashSet<string> Headings(string path)
    {
        var text = CodeBlock().Replace(RepositoryFiles.ReadFile(path), "");
        return [.. Heading().Matches(text).Select(static heading => NotInAnchor().Replace(heading.Groups["text"].Value.ToLowerInvariant(), "").Replace(' ', '-'))];
    }

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex("`[^`\n]*`")]
    private static partial Regex CodeSpan();

    [GeneratedRegex(@"^#{1,6} (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();

    [GeneratedRegex(@"\A# [^\n]+\n\n(?<text>.+?)\n\n", RegexOptions.Singleline)]
    private static partial Regex Opening();
}
