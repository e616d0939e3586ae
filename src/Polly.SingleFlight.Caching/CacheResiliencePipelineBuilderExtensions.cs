using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Polly.SingleFlight.Caching;
using Polly.SingleFlight.Caching.Storage;

namespace Polly;

/// <summary>
/// Adds a cache to a resilience pipeline: a result is returned from it while its lifetime lasts.
/// </summary>
public static class CacheResiliencePipelineBuilderExtensions
{
    /// <summary>
    /// Adds a cache strategy over a memory cache.
    /// </summary>
    /// <typeparam name="TResult">The result type of the pipeline.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="cache">Stores and evicts. It may be shared with others. An entry has the size 1 unless <see cref="CacheStrategyOptions{TResult}.Size"/> says otherwise.</param>
    /// <param name="options">The options.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/>, <paramref name="cache"/> or <paramref name="options"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">The result type is disposable; the message says what to cache instead.</exception>
    /// <exception cref="ValidationException"><paramref name="options"/> are invalid; the message names the option.</exception>
    /// <exception cref="InvalidOperationException">
    /// The builder was used to build a pipeline already; or, when it is built, another pipeline of the same scope uses this cache with other options: set
    /// <see cref="CacheStrategyOptions{TResult}.Scope"/>. A reload may change options.
    /// </exception>
    /// <remarks>
    /// Entries belong to the <see cref="CacheStrategyOptions{TResult}.Scope"/>, by default the pipeline's <see cref="ResiliencePipelineBuilderBase.Name"/> and
    /// <see cref="ResiliencePipelineBuilderBase.InstanceName"/>, so that they outlive a reload; those of a pipeline without a name are its own.
    /// </remarks>
    public static ResiliencePipelineBuilder<TResult> AddCache<TResult>(
        this ResiliencePipelineBuilder<TResult> builder, IMemoryCache cache, CacheStrategyOptions<TResult> options)
    {
        ArgumentNullException.ThrowIfNull(cache);
        return builder.AddCacheStrategy(cache, options, scope => new MemoryStore(cache, scope));
    }

    /// <summary>
    /// Adds a cache strategy over a hybrid cache, and with it over whatever distributed cache is behind that.
    /// </summary>
    /// <typeparam name="TResult">The result type of the pipeline.</typeparam>
    /// <param name="builder">The builder. Give it a <see cref="ResiliencePipelineBuilderBase.Name"/> if a distributed cache is behind.</param>
    /// <param name="cache">Stores, serializes and evicts. It may be shared with others.</param>
    /// <param name="options">The options.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/>, <paramref name="cache"/> or <paramref name="options"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">The result type is disposable; the message says what to cache instead.</exception>
    /// <exception cref="ValidationException"><paramref name="options"/> are invalid; the message names the option.</exception>
    /// <exception cref="InvalidOperationException">
    /// The builder was used to build a pipeline already; or, when it is built, another pipeline of the same scope uses this cache with other options: set
    /// <see cref="CacheStrategyOptions{TResult}.Scope"/>. A reload may change options.
    /// </exception>
    /// <remarks>
    /// Entries belong to the <see cref="CacheStrategyOptions{TResult}.Scope"/>, by default the pipeline's <see cref="ResiliencePipelineBuilderBase.Name"/> and
    /// <see cref="ResiliencePipelineBuilderBase.InstanceName"/>, also in other processes; those of a pipeline without a name are its own. Over Microsoft's cache add
    /// <c>services.AddSingleFlightCacheSerializers()</c>.
    /// </remarks>
    public static ResiliencePipelineBuilder<TResult> AddCache<TResult>(
        this ResiliencePipelineBuilder<TResult> builder, HybridCache cache, CacheStrategyOptions<TResult> options)
    {
        ArgumentNullException.ThrowIfNull(cache);
        return builder.AddCacheStrategy(
            cache, options, scope => new HybridStore(cache, scope ?? PrivateScope(), options.LocalCacheLifetime, options.ManualControl is not null));
    }

    /// <inheritdoc cref="AddCache{TResult}(ResiliencePipelineBuilder{TResult}, IMemoryCache, CacheStrategyOptions{TResult})"/>
    /// <remarks>
    /// For a pipeline that is asked for results of several types. Entries of different types are apart; executions without a result are not cached.
    /// </remarks>
    public static ResiliencePipelineBuilder AddCache(this ResiliencePipelineBuilder builder, IMemoryCache cache, CacheStrategyOptions<object> options)
    {
        ArgumentNullException.ThrowIfNull(cache);
        return builder.AddCacheStrategy(cache, options, scope => new MemoryStore(cache, scope));
    }

    /// <inheritdoc cref="AddCache{TResult}(ResiliencePipelineBuilder{TResult}, HybridCache, CacheStrategyOptions{TResult})"/>
    /// <remarks>
    /// For a pipeline that is asked for results of several types. Entries of different types are apart; executions without a result are not cached.
    /// </remarks>
    public static ResiliencePipelineBuilder AddCache(this ResiliencePipelineBuilder builder, HybridCache cache, CacheStrategyOptions<object> options)
    {
        ArgumentNullException.ThrowIfNull(cache);
        return builder.AddCacheStrategy(
            cache, options, scope => new HybridStore(cache, scope ?? PrivateScope(), options.LocalCacheLifetime, options.ManualControl is not null));
    }

    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(CacheStrategyOptions<>))]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The options that are validated are kept by the dynamic dependency.")]
    private static TBuilder AddCacheStrategy<TBuilder, TResult>(
        this TBuilder builder, object cache, CacheStrategyOptions<TResult> options, Func<string?, CacheStore> createStore)
        where TBuilder : ResiliencePipelineBuilderBase
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        if (ResultType.IsDisposable(typeof(TResult)))
        {
            throw new ArgumentException(Refusal.Of(typeof(TResult)), nameof(builder));
        }

        return builder.AddStrategy(
            context =>
            {
                var scope = ScopeOf(builder, options);
                var registration = scope is null ? null : ScopeRegistry.Register(cache, scope, options);
                return new CacheResilienceStrategy<TResult>(createStore(scope), options, context.Telemetry, builder, registration);
            },
            options);
    }

    /// <summary>
    /// The name of the entries; null for a pipeline without a name, whose entries are its own. The parts are preceded by their lengths, so that no two scopes spell alike.
    /// </summary>
    private static string? ScopeOf<TResult>(ResiliencePipelineBuilderBase builder, CacheStrategyOptions<TResult> options)
    {
        var version = options.Version is { } text ? Part("v", text) : "";
        return !string.IsNullOrEmpty(options.Scope) ? Part("s", options.Scope) + version
            : !string.IsNullOrEmpty(builder.Name) ? Part("", builder.Name) + Part("", builder.InstanceName ?? "") + Part("", options.Name ?? "") + version
            : null;
    }

    /// <summary>Nothing that counts: numbers of processes are the same in every container, and entries may outlive a process.</summary>
    private static string PrivateScope() => Guid.NewGuid().ToString("N");

    private static string Part(string kind, string text) => string.Create(CultureInfo.InvariantCulture, $"{kind}{text.Length}:{text}");
}
