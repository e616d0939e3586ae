using System.ComponentModel;
using System.Text.Json.Serialization;

namespace Polly.SingleFlight.Caching.Serialization;

/// <summary>
/// An entry that Microsoft's cache keeps as it is, instead of as bytes. Only for results that are immutable, and for caches that would serialize others with a
/// serializer that is not theirs.
/// </summary>
/// <param name="entry">The entry.</param>
[ImmutableObject(true)]
internal sealed class ImmutableCacheEntry<TResult>(CacheEntry<TResult>? entry)
{
    [JsonConstructor]
    public ImmutableCacheEntry()
        : this(null)
    {
    }

    /// <summary>The entry; null where it was written by System.Text.Json, which is not to write it.</summary>
    [JsonIgnore]
    public CacheEntry<TResult>? Entry { get; } = entry;
}
