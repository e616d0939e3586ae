using System.Globalization;

namespace Polly.SingleFlight.Benchmarks.Distributed;

/// <summary>What the tables have in common.</summary>
internal static class Figures
{
    public static async Task StopAsync(Node[] nodes)
    {
        foreach (var node in nodes)
        {
            await node.DisposeAsync().ConfigureAwait(false);
        }
    }

    public static double Percentile(List<double> figures, int percent) =>
        figures.Order().ElementAt(Math.Min(figures.Count - 1, figures.Count * percent / 100));

    public static string Milliseconds(double time) => Invariant($"{time:0.00} ms");

    public static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
