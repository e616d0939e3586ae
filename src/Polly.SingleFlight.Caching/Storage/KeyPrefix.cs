namespace Polly.SingleFlight.Caching.Storage;

/// <summary>The beginning of all keys of one scope and one result type.</summary>
internal sealed class KeyPrefix(string scope, Type resultType)
{
    public string Scope { get; } = scope;

    public string Text { get; } = $"{scope}|{resultType}|";

    /// <summary>The beginning of keys that are strings.</summary>
    public string OfStrings { get; } = $"{scope}|{resultType}|s";

    /// <summary>Whether every cache takes the text.</summary>
    public bool IsPlain { get; } = KeyText.IsPlain($"{scope}|{resultType}|");
}
