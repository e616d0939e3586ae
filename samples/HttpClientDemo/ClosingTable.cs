namespace HttpClientDemo;

/// <summary>The numbers of all waves.</summary>
internal static class ClosingTable
{
    public static IReadOnlyList<string> Headers { get; } =
        ["wave", "callers", "calls", "would have been", "p50", "p99", "p50 without", "p99 without"];

    /// <summary>One row for each wave. The waits without single flight are those of the wave that had none, in the same regions.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Rows(IReadOnlyList<Result> results)
    {
        var without = results.FirstOrDefault(static result => result.Wave.Sharing == Sharing.Nothing);
        return [.. results.Select(result =>
        {
            var baseline = result.Wave is { IsRefused: false, FailsFirst: false } ? without?.Waits : null;
            return (IReadOnlyList<string>)
            [
                result.Wave.Title, $"{result.Callers}", $"{result.Calls}", $"{result.Callers}",
                At(result.Waits, 0.5), At(result.Waits, 0.99), At(baseline, 0.5), At(baseline, 0.99),
            ];
        })];
    }

    public static void Write(IReadOnlyList<Result> results)
    {
        IReadOnlyList<IReadOnlyList<string>> lines = [Headers, .. Rows(results)];
        var widths = Headers.Select((_, column) => lines.Max(line => line[column].Length)).ToArray();
        Console.WriteLine();
        foreach (var line in lines)
        {
            Console.WriteLine(string.Join("  ", line.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column]))));
        }

        var (callers, calls) = (results.Sum(static result => result.Callers), results.Sum(static result => result.Calls));
        Console.WriteLine();
        Console.WriteLine($"{calls} calls instead of {callers}. Waits are of callers, from question to answer.");
        Console.WriteLine(results.FirstOrDefault(static result => result.Wave.Sharing == Sharing.Nothing) is { } without
            ? $"Waits without single flight were measured in the wave of {without.Callers} callers that had none."
            : "Waits without single flight were not measured: the wave 'without' did not run.");
    }

    private static string At(IReadOnlyList<TimeSpan>? waits, double share) =>
        waits is not { Count: > 0 } ? "-" : $"{waits[(int)Math.Ceiling(waits.Count * share) - 1].TotalSeconds:0.000} s";
}
