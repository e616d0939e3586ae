namespace HttpClientDemo;

/// <summary>A token, and how long it is valid.</summary>
internal sealed record AccessToken(string Value, string Type, TimeSpan ExpiresIn)
{
    /// <summary>Leaves the value out, which a record would print: a token must not end up in a log.</summary>
    public override string ToString() => $"{Type} token, expires in {ExpiresIn}";
}
