using System.Text.RegularExpressions;

namespace Polly.SingleFlight.DocBlocks;

/// <summary>
/// Writes blocks as the files of a program: each block is a method in a file and a namespace of its own, with the using directives that it and the
/// blocks before it show, and no others. The program runs the blocks whose output is shown, and compares.
/// </summary>
public static partial class DocProgram
{
    /// <summary>What is not worth an error in a block: given parameters that are not read, and declarations that only show something.</summary>
    public const string Unimportant = "CS1998;CS8321;CS9113";

    /// <summary>Returns the files by name.</summary>
    /// <param name="blocks">All blocks of all documents.</param>
    /// <param name="outputs">What blocks print, by their names.</param>
    /// <exception cref="FormatException">Blocks contradict each other.</exception>
    public static IReadOnlyDictionary<string, string> Files(IEnumerable<DocBlock> blocks, IReadOnlyDictionary<string, string> outputs)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        ArgumentNullException.ThrowIfNull(outputs);
        var byName = new Dictionary<string, DocBlock>();
        foreach (var block in blocks)
        {
            if (!byName.TryAdd(block.Name, block) && byName[block.Name].Body != block.Body)
            {
                throw new FormatException($"{block.Document} and {byName[block.Name].Document} show different blocks '{block.Name}'.");
            }
        }

        var files = byName.Values.ToDictionary(static block => $"{Pascal(block.Name)}.cs", block => File(WithPrevious(block, byName)));
        files.Add("Program.cs", Runner(outputs.Select(output => byName.TryGetValue(output.Key, out var block) && WithPrevious(block, byName).All(static part => part.Given.All(IsType))
            ? (block, output.Value)
            : throw new FormatException($"There is no block '{output.Key}' that can be run by itself."))));
        return files;
    }

    private static DocBlock[] WithPrevious(DocBlock block, Dictionary<string, DocBlock> byName) =>
        block.Continues is not { } previous ? [block]
            : byName.TryGetValue(previous, out var before) ? [.. WithPrevious(before, byName), block]
            : throw new FormatException($"The block '{block.Name}' goes on from '{previous}', which is not there.");

    private static string File(DocBlock[] parts)
    {
        var given = parts.SelectMany(static part => part.Given).Distinct().ToArray();
        var returns = given.FirstOrDefault(static part => part.StartsWith("returns ", StringComparison.Ordinal))?["returns ".Length..] ?? "Task";
        var parameters = given.Where(static part => !IsType(part) && !part.StartsWith("returns ", StringComparison.Ordinal));
        return string.Join('\n',
        [
            .. parts.SelectMany(static part => part.Usings).Distinct(),
            "",
            $"namespace DocBlocks.{Pascal(parts[^1].Name)}Block",
            "{",
            "internal static class Example",
            "{",
            $"public static async {returns} RunAsync({string.Join(", ", parameters)})",
            "{",
            .. parts.Select(static part => $"#line 1 \"{part.Document} {part.Name}\"\n{part.Statements}"),
            "}",
            "}",
            .. given.Where(IsType).Select(static type => type.EndsWith('}') ? type : $"{type};"),
            .. parts.Select(static part => part.Types),
            "}",
            "",
        ]);
    }

    private static string Runner(IEnumerable<(DocBlock Block, string Output)> runs)
    {
        var checks = runs.Select(static run =>
            $"await CheckAsync(\"{run.Block.Document}, {run.Block.Name}\", @\"{Escape(run.Output)}\", DocBlocks.{Pascal(run.Block.Name)}Block.Example.RunAsync);");
        return $$"""
            var failed = 0;
            var console = Console.Out;
            {{string.Join('\n', checks)}}
            return failed;

            async Task CheckAsync(string name, string expected, Func<Task> run)
            {
                using var output = new StringWriter { NewLine = "\n" };
                Console.SetOut(output);
                try
                {
                    await run();
                }
                finally
                {
                    Console.SetOut(console);
                }

                var isRight = output.ToString().TrimEnd('\n') == expected.ReplaceLineEndings("\n");
                failed += isRight ? 0 : 1;
                Console.WriteLine(isRight ? $"{name}: as shown" : $"{name} prints\n{output}instead of\n{expected}");
            }

            """;
    }

    private static string Escape(string text) => text.Replace("\"", "\"\"", StringComparison.Ordinal);

    private static bool IsType(string given) => TypeKeyword().IsMatch(given);

    private static string Pascal(string name) => string.Concat(name.Split('-').Select(static part => char.ToUpperInvariant(part[0]) + part[1..]));

    [GeneratedRegex("^(?:class|record|interface|enum|struct) ")]
    private static partial Regex TypeKeyword();
}
