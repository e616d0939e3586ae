using System.Globalization;
using Polly.SingleFlight.Benchmarks.Contestants;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>A part of the quick run.</summary>
internal abstract class Section(string name, Lineup lineup)
{
    public string Name => name;

    protected Lineup Lineup => lineup;

    public abstract Task WriteAsync(TextWriter output);

    protected static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
