namespace HttpClientDemo;

/// <summary>
/// What callers share: an immutable value, never the response it was read from, which only one caller could read and dispose.
/// </summary>
internal sealed record AccessToken(string Value, string TokenType, TimeSpan? ExpiresIn)
{
    /// <summary>Leaves the value out, which a record would print: a token must not end up in a log.</summary>
    public override string ToString() => $"{TokenType} token, expires in {ExpiresIn?.ToString() ?? "unknown time"}";
}
