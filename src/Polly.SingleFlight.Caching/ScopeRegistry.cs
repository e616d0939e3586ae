using System.Runtime.CompilerServices;

namespace Polly.SingleFlight.Caching;

/// <summary>
/// The scopes in use, by cache: pipelines of one scope find each other's entries, so those that treat entries differently are refused.
/// </summary>
internal static class ScopeRegistry
{
    private static readonly ConditionalWeakTable<object, Dictionary<(string, Type), List<WeakReference<Registration>>>> s_scopes = [];

    /// <summary>Notes a pipeline, until it is disposed or collected.</summary>
    /// <exception cref="InvalidOperationException">Another pipeline of the scope has other options.</exception>
    public static IDisposable Register<TResult>(object cache, string scope, CacheStrategyOptions<TResult> options)
    {
        var registration = new Registration(Describe(options));
        var scopes = s_scopes.GetOrCreateValue(cache);
        lock (scopes)
        {
            if (!scopes.TryGetValue((scope, typeof(TResult)), out var registrations))
            {
                scopes[(scope, typeof(TResult))] = registrations = [];
            }

            registrations.RemoveAll(static reference => !reference.TryGetTarget(out var other) || other.IsDisposed);
            foreach (var reference in registrations)
            {
                if (reference.TryGetTarget(out var other) && Difference(other, registration) is { } option && !IsReload())
                {
                    throw new InvalidOperationException(
                        $"Another pipeline uses this cache under the same scope and another {option}, and each would return what the other stored. Set " +
                        "CacheStrategyOptions.Scope to a name of its own for each, or give both the same options. By default the scope is the name of the pipeline, " +
                        "which for pipelines from a registry is the ToString() of their key.");
                }
            }

            registrations.Add(new WeakReference<Registration>(registration));
        }

        return registration;
    }

    /// <summary>Functions count as equal if they are the same method: a reload makes new objects of the same lambda expression.</summary>
    private static (string Option, object? Value)[] Describe<TResult>(CacheStrategyOptions<TResult> options) =>
    [
        (nameof(options.KeyGenerator), options.KeyGenerator.Method),
        (nameof(options.Lifetime), options.Lifetime),
        (nameof(options.LifetimeGenerator), options.LifetimeGenerator?.Method),
        (nameof(options.ShouldCache), options.ShouldCache?.Method),
        (nameof(options.StaleOnError), options.StaleOnError),
        (nameof(options.ShouldHandle), options.ShouldHandle.Method),
        (nameof(options.StaleRetryDelay), options.StaleRetryDelay),
        (nameof(options.RefreshTimeout), options.RefreshTimeout),
        (nameof(options.MaxConcurrentRefreshes), options.MaxConcurrentRefreshes),
        (nameof(options.StoreTimeout), options.StoreTimeout),
        (nameof(options.LocalCacheLifetime), options.LocalCacheLifetime),
        (nameof(options.ManualControl), options.ManualControl),
        (nameof(options.Tags), options.Tags?.Method),
        (nameof(options.Size), options.Size?.Method),
    ];

    private static string? Difference(Registration left, Registration right)
    {
        for (var i = 0; i < left.Options.Length; i++)
        {
            if (!Equals(left.Options[i].Value, right.Options[i].Value))
            {
                return left.Options[i].Option;
            }
        }

        return null;
    }

    /// <summary>
    /// Whether Polly is building a pipeline again, which may change options while the old pipeline still ends its executions. Polly tells strategies nothing about it, so
    /// this looks for its component on the stack; only pipelines that would be refused otherwise come here.
    /// </summary>
    private static bool IsReload() => Environment.StackTrace.Contains("Polly.Utils.Pipeline.ReloadableComponent", StringComparison.Ordinal);

    private sealed class Registration((string Option, object? Value)[] options) : IDisposable
    {
        private volatile bool _isDisposed;

        public (string Option, object? Value)[] Options { get; } = options;

        public bool IsDisposed => _isDisposed;

        public void Dispose() => _isDisposed = true;
    }
}
