using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace FlightRecorder;

/// <summary>Builds HTML from interpolated strings, whose literals are markup and whose values are always encoded.</summary>
internal sealed class HtmlPage
{
    private readonly StringBuilder _text = new();

    public void Add(MarkupHandler markup) => _text.Append(markup.Text);

    public void AddMarkup(string markup) => _text.Append(markup);

    public override string ToString() => _text.ToString();

    [InterpolatedStringHandler]
    public readonly struct MarkupHandler(int literalLength, int formattedCount)
    {
        public StringBuilder Text { get; } = new(literalLength + (formattedCount * 8));

        public void AppendLiteral(string markup) => Text.Append(markup);

        public void AppendFormatted(string? value) => Text.Append(WebUtility.HtmlEncode(value));

        public void AppendFormatted<T>(T value, string? format = null)
            where T : IFormattable => AppendFormatted(value.ToString(format, CultureInfo.InvariantCulture));
    }
}
