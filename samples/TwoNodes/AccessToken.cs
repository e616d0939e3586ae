namespace TwoNodes;

/// <summary>A token, as one node hands it over to the others.</summary>
internal sealed record AccessToken(string Value, TimeSpan ExpiresIn)
{
    /// <summary>Leaves the value out, which a record would print: a token must not end up in a log.</summary>
    public override string ToString() => $"token, expires in {ExpiresIn}";
}
