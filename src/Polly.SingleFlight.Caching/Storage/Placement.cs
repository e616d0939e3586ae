namespace Polly.SingleFlight.Caching.Storage;

/// <summary>How a cache is to keep an entry.</summary>
/// <param name="Time">How long.</param>
/// <param name="Size">Its size in a memory cache.</param>
/// <param name="Tags">Its tags, if it has any.</param>
internal readonly record struct Placement(TimeSpan Time, long Size, IReadOnlyCollection<string>? Tags);
