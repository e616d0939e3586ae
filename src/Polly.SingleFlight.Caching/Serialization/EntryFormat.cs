namespace Polly.SingleFlight.Caching.Serialization;

/// <summary>How entries are handed to a <c>HybridCache</c>.</summary>
internal enum EntryFormat
{
    /// <summary>As a <see cref="CacheEntry{TResult}"/>, which the cache keeps or serializes as it likes.</summary>
    Plain,

    /// <summary>The same, to a cache that writes it with System.Text.Json, whatever serializer is registered for the result.</summary>
    Json,

    /// <summary>Written by the serializers of this package, which let the one registered for the result write the result.</summary>
    Serialized,

    /// <summary>As a reference in the memory of the process, because those serializers are missing.</summary>
    ByReference,
}
