using System.Reflection;
using Polly.SingleFlight.Composition.Tests.Rows;

namespace Polly.SingleFlight.Composition.Tests;

/// <summary>The tables of docs/composition.md show what <see cref="OrderTests"/> proves, and nothing else.</summary>
public sealed class DocumentTests
{
    private const int CellsOfARow = 6;

    [Fact]
    public void Tables_ShowEveryRow_WithItsNumbers()
    {
        Row[] rows = [.. RecommendedRows.All, .. DocumentedRows.All, .. MistakenRows.All];
        var expected = rows.Select(row => string.Join(" | ", RowText.Cells(row, RecommendedRows.Order)));

        Assert.Equal(expected, Shown());
    }

    /// <summary>The rows of the tables that have as many columns as ours, without the last, and without heads.</summary>
    private static IEnumerable<string> Shown()
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("composition.md")!);
        return [.. reader.ReadToEnd().ReplaceLineEndings("\n").Split('\n')
            .Where(line => line.StartsWith('|'))
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))
            .Where(cells => cells.Length == CellsOfARow && cells[0] != "row" && !cells[0].StartsWith("---", StringComparison.Ordinal))
            .Select(cells => string.Join(" | ", cells[..^1]))];
    }
}
