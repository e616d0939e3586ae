using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>What docs/rules.md and docs/glossary.md define, held against the comments of the code and the tests that exist.</summary>
public sealed partial class RulesDocumentTests
{
    private const string Document = "docs/rules.md";
    private const int MostTerms = 30;

    private static readonly (string Path, string Text)[] s_code =
        [.. RepositoryFiles.Read("src"), .. RepositoryFiles.Read("tests")];

    [Fact]
    public void EveryNumberInTheCode_IsDefined()
    {
        var defined = Rules().Select(static rule => rule.Number).ToHashSet();
        var used = s_code.SelectMany(static file => Remark().Matches(file.Text).SelectMany(static remark => Number().Matches(remark.Value))
            .Select(number => (file.Path, Number: number.Value))).ToArray();

        Assert.NotEmpty(used);
        Assert.All(used, use => Assert.True(defined.Contains(use.Number), $"{use.Path} names {use.Number}, which {Document} does not define."));
    }

    [Fact]
    public void EveryLetter_IsCountedFromOneWithoutGaps() =>
        Assert.All(Rules().GroupBy(static rule => rule.Number[0]), static rules =>
            Assert.Equal(rules.Select((_, index) => $"{rules.Key}{index + 1}"), rules.Select(static rule => rule.Number)));

    [Fact]
    public void EveryRule_NamesTestsThatExist()
    {
        Assert.All(Rules(), static rule => Assert.NotEmpty(rule.Tests));
        Assert.All(
            Tests().Matches(DocsTests.Read(Document)).SelectMany(Names),
            static name => Assert.True(Exists(name), $"There is no test {name}."));
    }

    /// <summary>A method whose name says that it needs the lock asserts that the lock is held, before it does anything else.</summary>
    [Fact]
    public void EveryMethodThatNeedsTheLock_AssertsIt()
    {
        var bodies = s_code.Where(static file => file.Path.StartsWith("src/", StringComparison.Ordinal))
            .SelectMany(static file => NeedsLock().Matches(file.Text).Select(match => (file.Path, match.Groups["name"].Value, Body: match.Groups["first"].Value)))
            .ToArray();

        Assert.InRange(bodies.Length, 20, int.MaxValue);
        Assert.All(bodies, static body => Assert.True(
            body.Body.Contains("AssertIsHeld()", StringComparison.Ordinal) || body.Body == "base.AssertInvariants_NeedsLock();"
                || body.Body.StartsWith("Debug.Assert(Monitor.IsEntered(", StringComparison.Ordinal),
            $"{body.Path}: {body.Value} begins with: {body.Body}"));
    }

    [Fact]
    public void Glossary_HasAtMostThirtyTerms()
    {
        var rows = TableRow().Matches(DocsTests.Read("docs/glossary.md")).Select(static row => row.Groups["term"].Value.Trim()).ToArray();
        Assert.Equal("term", rows[0]);
        var terms = rows.Skip(2).ToArray();

        Assert.Equal(terms.Distinct(StringComparer.OrdinalIgnoreCase), terms);
        Assert.InRange(terms.Length, 1, MostTerms);
    }

    /// <summary>A rule begins with its number and its name in bold type, and ends with an empty line.</summary>
    private static (string Number, string[] Tests)[] Rules() =>
        [.. Rule().Matches(DocsTests.Read(Document)).Select(static rule =>
            (rule.Groups["number"].Value, Tests().Matches(rule.Value).SelectMany(Names).ToArray()))];

    private static IEnumerable<string> Names(Match tests) => Quoted().Matches(tests.Value).Select(static name => name.Groups["text"].Value);

    /// <param name="test">A class, or a class and a method of it.</param>
    private static bool Exists(string test)
    {
        var (type, method) = test.Split('.') is [var first, var second] ? (first, second) : (test, null);
        var parts = s_code.Where(file => file.Path.StartsWith("tests/", StringComparison.Ordinal) && Regex.IsMatch(file.Text, $@"\bclass {Regex.Escape(type)}\b"));
        return parts.Any(file => method is null || Regex.IsMatch(file.Text, $@"\bpublic (async )?\w+ {Regex.Escape(method)}\("));
    }

    /// <summary>A comment to the end of its line, and a message that begins with a number.</summary>
    [GeneratedRegex(@"//[^\n]*|""[SIWLG]\d{1,2}[: ]")]
    private static partial Regex Remark();

    [GeneratedRegex(@"\b[SIWLG]\d{1,2}\b")]
    private static partial Regex Number();

    [GeneratedRegex(@"^\*\*(?<number>[SIWLG]\d{1,2}) [^*\n]+\.\*\*(?:[^\n]+\n)+", RegexOptions.Multiline)]
    private static partial Regex Rule();

    [GeneratedRegex(@"^Tests: [^\n]+(?:\n[^\n]+)*", RegexOptions.Multiline)]
    private static partial Regex Tests();

    /// <summary>The declaration of a method or a property, an accessor of it, and its first statement.</summary>
    [GeneratedRegex(@"^ +(?:public|private|protected|internal) [^;=\n]*?\b(?<name>\w+_NeedsLock)\b[^;=]*?\{(?:\s*get\s*\{)?\s*(?<first>[^\n]+)", RegexOptions.Multiline)]
    private static partial Regex NeedsLock();

    [GeneratedRegex("`(?<text>[^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^\|(?<term>[^|\n]+)\|", RegexOptions.Multiline)]
    private static partial Regex TableRow();
}
