namespace Polly.SingleFlight.Caching;

/// <summary>Why results of a disposable type are not cached, and what to cache instead.</summary>
internal static class Refusal
{
    public static string Of(Type type) => typeof(HttpResponseMessage).IsAssignableFrom(type)
        ? "An HttpResponseMessage cannot be cached: it can be read only once, and an HTTP cache has rules of its own. Cache what was " +
            "deserialized from it, in a ResiliencePipeline of that type around the call of the client."
        : $"A {type.Name} is disposable, so callers cannot share a cached one: the first to dispose it would take it from the others. " +
            "Cache a result that is not disposable.";
}
