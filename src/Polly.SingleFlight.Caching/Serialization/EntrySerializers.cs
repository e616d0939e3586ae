using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Hybrid;

namespace Polly.SingleFlight.Caching.Serialization;

/// <summary>
/// The serializers of entries, by the type of entry. They are noted where the type of the result is known, so that nothing has to be made by
/// reflection, which an application that is compiled ahead of time could not do.
/// </summary>
internal static class EntrySerializers
{
    private static readonly ConcurrentDictionary<Type, Func<ResultSerializers, object>> s_factories = new()
    {
        [typeof(SerializerProbe)] = static _ => new ProbeSerializer(),
    };

    public static void Ensure<TResult>() => _ = Noted<TResult>.Once;

    public static IHybridCacheSerializer<TEntry>? Create<TEntry>(ResultSerializers results) =>
        s_factories.TryGetValue(typeof(TEntry), out var factory) ? (IHybridCacheSerializer<TEntry>)factory(results) : null;

    private static class Noted<TResult>
    {
        public static readonly bool Once = Note();

        private static bool Note()
        {
            s_factories[typeof(CacheEntry<TResult>)] = static results => new EntrySerializer<TResult>(results.For<TResult>());
            s_factories[typeof(ImmutableCacheEntry<TResult>)] = static results => new ImmutableEntrySerializer<TResult>(results.For<TResult>());
            return true;
        }
    }
}
