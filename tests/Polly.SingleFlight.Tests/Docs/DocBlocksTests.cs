using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Polly.SingleFlight.DocBlocks;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>
/// Every C# block of the documentation compiles with exactly the usings that it shows beyond the implicit ones of a new project. The same is done outside
/// of the repository, against the packages, by <c>.ci/run docs</c>, which also runs the blocks whose output is shown.
/// </summary>
public sealed class DocBlocksTests
{
    private const string UnusedUsing = "CS8019";

    /// <summary>References to older versions of what is there, which a build with packages resolves in the same way.</summary>
    private const string OlderReference = "CS1701;CS1702";

    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    [Fact]
    public void Blocks_Compile_WithTheUsingsTheyShow()
    {
        var documents = Documents();
        var blocks = documents.SelectMany(static document => DocParser.Blocks(document.Path, document.Text)).ToArray();
        var files = DocProgram.Files(blocks, documents.SelectMany(static document => DocParser.Outputs(document.Text)).ToDictionary());
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);
        var trees = files.Select(file => CSharpSyntaxTree.ParseText(file.Value, options, file.Key))
            .Append(CSharpSyntaxTree.ParseText(ImplicitUsings, options, "Usings"));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(static path => MetadataReference.CreateFromFile(path));

        var diagnostics = CSharpCompilation.Create(
            "DocBlocks",
            trees,
            references,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable)
                .WithSpecificDiagnosticOptions($"{DocProgram.Unimportant};{OlderReference}".Split(';').ToDictionary(static id => id, static _ => ReportDiagnostic.Suppress)))
            .GetDiagnostics(TestContext.Current.CancellationToken);

        Assert.InRange(blocks.Length, 50, int.MaxValue);
        Assert.Empty(diagnostics.Where(static diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning));
        Assert.Empty(diagnostics.Where(diagnostic => diagnostic.Id == UnusedUsing && ShowsItself(diagnostic)));

        // A block that goes on from another one has the usings of both.
        bool ShowsItself(Diagnostic diagnostic) => diagnostic.Location.SourceTree is { FilePath: not "Usings" and not "Program.cs" } tree
            && blocks.All(block => block.Continues is null || !tree.FilePath.Equals($"{block.Name.Replace("-", "", StringComparison.Ordinal)}.cs", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("```csharp\nreturn;\n```")]
    [InlineData("<!-- given: int i -->\n```csharp\nreturn;\n```")]
    public void Block_WithoutAName_IsRefused(string text) => Assert.Throws<FormatException>(() => DocParser.Blocks("page", text));

    [Fact]
    public void Blocks_OfOneNameWithDifferentTexts_AreRefused()
    {
        var blocks = DocParser.Blocks("page", "<!-- snippet: a -->\n```csharp\nreturn;\n```\n<!-- snippet: a -->\n```csharp\nthrow;\n```");
        Assert.Throws<FormatException>(() => DocProgram.Files(blocks, new Dictionary<string, string>()));
    }

    [Fact]
    public void Output_OfABlockThatNeedsSomethingFromOutside_IsRefused()
    {
        var blocks = DocParser.Blocks("page", "<!-- snippet: a -->\n<!-- given: int i -->\n```csharp\nConsole.WriteLine(i);\n```");
        Assert.Throws<FormatException>(() => DocProgram.Files(blocks, new Dictionary<string, string> { ["a"] = "1" }));
    }

    private static (string Path, string Text)[] Documents() =>
    [
        .. RepositoryFiles.Read("", "README.md", recursively: false),
        .. RepositoryFiles.Read("docs", "*.md"),
        .. RepositoryFiles.Read("src", "README.md"),
    ];
}
