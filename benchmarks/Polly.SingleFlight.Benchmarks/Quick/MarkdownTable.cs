namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>A table that reads well in a terminal and in a README: the first column to the left, figures to the right.</summary>
internal sealed class MarkdownTable(params string[] headers)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void WriteTo(TextWriter output)
    {
        int[] widths = [.. headers.Select((header, column) => _rows.Select(row => row[column].Length).Append(header.Length).Max())];
        WriteRow(output, headers, widths);
        output.WriteLine($"| {string.Join(" | ", widths.Select(Ruler))} |");
        foreach (var row in _rows)
        {
            WriteRow(output, row, widths);
        }

        output.WriteLine();
    }

    private static string Ruler(int width, int column) => column == 0 ? new string('-', width) : new string('-', width - 1) + ":";

    private static void WriteRow(TextWriter output, string[] cells, int[] widths) =>
        output.WriteLine($"| {string.Join(" | ", cells.Select((cell, column) => Pad(cell, widths[column], column)))} |");

    private static string Pad(string cell, int width, int column) => column == 0 ? cell.PadRight(width) : cell.PadLeft(width);
}
