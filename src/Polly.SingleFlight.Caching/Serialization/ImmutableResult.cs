using System.ComponentModel;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Polly.SingleFlight.Caching.Serialization;

/// <summary>Whether Microsoft's cache takes results of a type for immutable: strings, sealed types that say so, and values without references.</summary>
internal static class ImmutableResult<TResult>
{
    public static readonly bool IsImmutable = typeof(TResult) == typeof(string)
        || (typeof(TResult).IsValueType && !RuntimeHelpers.IsReferenceOrContainsReferences<TResult>())
        || ((typeof(TResult).IsValueType || typeof(TResult).IsSealed)
            && (Nullable.GetUnderlyingType(typeof(TResult)) ?? typeof(TResult)).GetCustomAttribute<ImmutableObjectAttribute>() is { Immutable: true });
}
