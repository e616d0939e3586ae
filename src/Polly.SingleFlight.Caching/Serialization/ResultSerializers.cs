using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;

namespace Polly.SingleFlight.Caching.Serialization;

/// <summary>Finds the serializer of a result, as Microsoft's cache finds it: one registered for the type, else the last factory that makes one.</summary>
internal sealed class ResultSerializers(IServiceProvider services)
{
    /// <summary>Tuples have fields and no properties.</summary>
    private static readonly JsonSerializerOptions s_withFields = new() { IncludeFields = true };

    /// <summary>
    /// Whether this package's factory was registered first, so that all others have refused a type when it is asked. Microsoft's default, which refuses none, is
    /// not registered then.
    /// </summary>
    public bool IsLastResort => services.GetServices<IHybridCacheSerializerFactory>().FirstOrDefault() is EntrySerializerFactory;

    public IHybridCacheSerializer<TResult> For<TResult>()
    {
        if (services.GetService<IHybridCacheSerializer<TResult>>() is { } registered)
        {
            return registered;
        }

        foreach (var factory in services.GetServices<IHybridCacheSerializerFactory>().Reverse())
        {
            if (factory is not EntrySerializerFactory && factory.TryCreateSerializer<TResult>(out var made))
            {
                return made;
            }
        }

        return Json<TResult>();
    }

    /// <summary>What Microsoft's default makes, with the options registered for it.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "An application that is trimmed registers a serializer, as for the bare cache.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "As above.")]
    public JsonResultSerializer<TResult> Json<TResult>() => new(
        (services as IKeyedServiceProvider)?.GetKeyedService<JsonSerializerOptions>(typeof(IHybridCacheSerializer<TResult>))
        ?? (services as IKeyedServiceProvider)?.GetKeyedService<JsonSerializerOptions>(typeof(IHybridCacheSerializer<>))
        ?? (typeof(TResult).IsAssignableTo(typeof(ITuple)) ? s_withFields : JsonSerializerOptions.Default));
}
