using System.Text.RegularExpressions;

namespace Polly.SingleFlight.DocBlocks;

/// <summary>
/// Finds the C# blocks of a document. HTML comments before a block say its name (<c>snippet:</c>), which block it goes on from
/// (<c>continues:</c>), and what the code around it declares (<c>given:</c>, separated by semicolons). A text block after the comment
/// <c>output:</c> is what a block prints. The name may also stand in <c>[//]: # (snippet: name)</c>, where HTML is shown as text.
/// </summary>
public static partial class DocParser
{
    /// <summary>Returns all blocks of a document.</summary>
    /// <exception cref="FormatException">A block has no name, or no end.</exception>
    public static IReadOnlyList<DocBlock> Blocks(string document, string text)
    {
        var blocks = Block().Matches(text).Select(match => Create(document, match)).ToArray();
        return blocks.Length == Fence().Count(text)
            ? blocks
            : throw new FormatException($"A C# block of {document} has no comment with its name before it.");
    }

    /// <summary>Returns what blocks print, by their names.</summary>
    public static IReadOnlyDictionary<string, string> Outputs(string text) =>
        Output().Matches(text).ToDictionary(static match => match.Groups["name"].Value, static match => match.Groups["text"].Value);

    private static DocBlock Create(string document, Match match)
    {
        var lines = match.Groups["text"].Value.Split('\n');
        var usings = lines.TakeWhile(static line => line.StartsWith("using ", StringComparison.Ordinal) && !line.Contains('(', StringComparison.Ordinal) && !line.Contains('=', StringComparison.Ordinal)).ToArray();
        var rest = lines.Skip(usings.Length).ToArray();
        var types = Array.FindIndex(rest, static line => TypeDeclaration().IsMatch(line));
        types = types < 0 ? rest.Length : types;
        return new DocBlock(
            document,
            match.Groups["name"].Value,
            match.Groups["continues"] is { Success: true, Value: var previous } ? previous : null,
            [.. Parts(match.Groups["given"].Value)],
            usings,
            string.Join('\n', rest.Take(types)).Trim('\n'),
            string.Join('\n', rest.Skip(types)).Trim('\n'));
    }

    /// <summary>Splits at the semicolons that are outside of braces.</summary>
    private static IEnumerable<string> Parts(string given)
    {
        var (start, depth) = (0, 0);
        for (var i = 0; i <= given.Length; i++)
        {
            if (i == given.Length || (given[i] == ';' && depth == 0))
            {
                if (given[start..i].Trim() is { Length: > 0 } part)
                {
                    yield return part;
                }

                start = i + 1;
            }
            else
            {
                depth += given[i] switch { '{' => 1, '}' => -1, _ => 0 };
            }
        }
    }

    [GeneratedRegex(@"(?:<!-- snippet: (?<name>[\w-]+) -->|\[//\]: # \(snippet: (?<name>[\w-]+)\))\n(?:<!-- continues: (?<continues>[\w-]+) -->\n)?(?:<!-- given: (?<given>.*?) -->\n)?```csharp\n(?<text>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("^```csharp", RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"<!-- output: (?<name>[\w-]+) -->\n```text\n(?<text>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Output();

    [GeneratedRegex(@"^(?:(?:public|internal|sealed|static|abstract|readonly|partial) )*(?:class|record|struct|interface|enum) ")]
    private static partial Regex TypeDeclaration();
}
