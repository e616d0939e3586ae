namespace HttpClientDemo;

/// <summary>What a caller reads from its response.</summary>
internal sealed record AccessToken(string Value, string TokenType, TimeSpan? ExpiresIn)
{
    /// <summary>Leaves the value out, which a record would print: a token must not end up in a log.</summary>
    public override string ToString() => $"{TokenType} token, expires in {ExpiresIn?.ToString() ?? "unknown time"}";
}
