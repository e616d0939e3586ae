namespace Polly.SingleFlight.Caching.Storage;

/// <summary>The key of an entry in a memory cache, which others use as well: whose it is, of what type, and the key of the execution.</summary>
internal sealed class MemoryKey(object? scope, Type? resultType, object? key) : IEquatable<MemoryKey>
{
    private object? _scope = scope;
    private Type? _resultType = resultType;
    private object? _key = key;

    /// <summary>Makes another key of one that is in no cache.</summary>
    public void Set(object? scope, Type? resultType, object? key) => (_scope, _resultType, _key) = (scope, resultType, key);

    public bool Equals(MemoryKey? other) =>
        other is not null && _resultType == other._resultType && Equals(_scope, other._scope) && Equals(_key, other._key);

    public override bool Equals(object? obj) => Equals(obj as MemoryKey);

    public override int GetHashCode() => HashCode.Combine(_scope, _resultType, _key);

    public override string ToString() => "Polly.SingleFlight.Caching entry";
}
