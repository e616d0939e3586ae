using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Polly.SingleFlight.Caching;
using Polly.SingleFlight.Caching.Storage;
using Polly.SingleFlight.Sharing;

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
    /// <param name="cache">Stores and evicts. It may be shared with others. Every entry has the size 1.</param>
    /// <param name="options">The options.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/>, <paramref name="cache"/> or <paramref name="options"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">The result type is disposable; the message says what to cache instead.</exception>
    /// <exception cref="ValidationException"><paramref name="options"/> are invalid; the message names the option.</exception>
    /// <exception cref="InvalidOperationException">The builder was used to build a pipeline already.</exception>
    /// <remarks>
    /// Entries belong to the pipeline's <see cref="ResiliencePipelineBuilderBase.Name"/> and
    /// <see cref="ResiliencePipelineBuilderBase.InstanceName"/>, so that they outlive a reload; those of a pipeline without a name are its own.
    /// </remarks>
    public static ResiliencePipelineBuilder<TResult> AddCache<TResult>(
        this ResiliencePipelineBuilder<TResult> builder, IMemoryCache cache, CacheStrategyOptions<TResult> options)
    {
        ArgumentNullException.ThrowIfNull(cache);
        return builder.AddCache(options, scope => new MemoryStore(cache, scope));
    }

    /// <summary>
    /// Adds a cache strategy over a hybrid cache, and with it over whatever distributed cache is behind that.
    /// </summary>
    /// <typeparam name="TResult">The result type of the pipeline.</typeparam>
    /// <param name="builder">The builder. Give it a <see cref="ResiliencePipelineBuilderBase.Name"/> if a distributed cache is behind.</param>
    /// <param name="cache">Stores, serializes and evicts. It may be shared with others.</param>
    /// <param name="options">The options. Keys must be strings.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/>, <paramref name="cache"/> or <paramref name="options"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">The result type is disposable; the message says what to cache instead.</exception>
    /// <exception cref="ValidationException"><paramref name="options"/> are invalid; the message names the option.</exception>
    /// <exception cref="InvalidOperationException">The builder was used to build a pipeline already.</exception>
    /// <remarks>
    /// Entries belong to the pipeline's <see cref="ResiliencePipelineBuilderBase.Name"/> and
    /// <see cref="ResiliencePipelineBuilderBase.InstanceName"/>, also in other processes; those of a pipeline without a name are its own.
    /// </remarks>
    public static ResiliencePipelineBuilder<TResult> AddCache<TResult>(
        this ResiliencePipelineBuilder<TResult> builder, HybridCache cache, CacheStrategyOptions<TResult> options)
    {
        ArgumentNullException.ThrowIfNull(cache);
        return builder.AddCache(options, scope => new HybridStore(cache, scope));
    }

    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(CacheStrategyOptions<>))]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The options that are validated are kept by the dynamic dependency.")]
    private static ResiliencePipelineBuilder<TResult> AddCache<TResult>(
        this ResiliencePipelineBuilder<TResult> builder, CacheStrategyOptions<TResult> options, Func<string, CacheStore> createStore)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        if (ResultOwnership.IsExclusive(typeof(TResult)))
        {
            throw new ArgumentException(Refusal.Of(typeof(TResult)), nameof(builder));
        }

        return builder.AddStrategy(
            context => new CacheResilienceStrategy<TResult>(createStore(ScopeOf(builder, options)), options, context.Telemetry, builder), options);
    }

    /// <summary>The parts are preceded by their lengths, so that no two pairs of names spell the same scope.</summary>
    private static string ScopeOf(ResiliencePipelineBuilderBase builder, ResilienceStrategyOptions options)
    {
        if (string.IsNullOrEmpty(builder.Name))
        {
            // Nothing that counts: numbers of processes are the same in every container, and entries may outlive a process.
            return Guid.NewGuid().ToString("N");
        }

        var (name, instance, strategy) = (builder.Name, builder.InstanceName ?? "", options.Name ?? "");
        return string.Create(
            CultureInfo.InvariantCulture, $"{name.Length}:{name}{instance.Length}:{instance}{strategy.Length}:{strategy}");
    }
}
