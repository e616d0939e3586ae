namespace Polly.SingleFlight.Redis.Engine;

/// <summary>What a node is told of a flight.</summary>
/// <param name="Letter">What has happened.</param>
/// <param name="EndedAt">From when on a caller may hold the outcome, in microseconds of the server's clock; 0 where that is not said.</param>
internal readonly record struct Message(char Letter, long EndedAt = 0)
{
    /// <summary>Reads a message: a letter, the leader's id, and perhaps a space and a time.</summary>
    public static Message Read(string text, out string leader)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        leader = space < 0 ? text[1..] : text[1..space];
        return new(text[0], space < 0 || !long.TryParse(text.AsSpan(space + 1), System.Globalization.CultureInfo.InvariantCulture, out var endedAt) ? 0 : endedAt);
    }
}
