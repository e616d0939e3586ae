using System.Globalization;

namespace Polly.SingleFlight.Redis.Nodes;

/// <summary>What a callback does.</summary>
/// <param name="Time">How long it takes; null to wait until it is told to end.</param>
/// <param name="Fails">Whether it fails then.</param>
public sealed record Work(TimeSpan? Time, bool Fails = false)
{
    /// <summary>Gets work that ends when <see cref="NodeProcess.Open"/> says so.</summary>
    public static Work Held { get; } = new((TimeSpan?)null);

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The work.</returns>
    public static Work Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var fails = text.StartsWith('!');
        return text == "held" ? Held : new(TimeSpan.FromMilliseconds(int.Parse(text.TrimStart('!'), CultureInfo.InvariantCulture)), fails);
    }

    /// <summary>Writes the work as a word.</summary>
    /// <returns>The word.</returns>
    public override string ToString() => Time is { } time ? string.Create(CultureInfo.InvariantCulture, $"{(Fails ? "!" : "")}{time.TotalMilliseconds:F0}") : "held";
}
