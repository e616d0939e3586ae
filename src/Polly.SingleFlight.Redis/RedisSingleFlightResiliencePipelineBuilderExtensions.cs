using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Polly.SingleFlight.Redis;
using Polly.SingleFlight.Redis.Strategy;

namespace Polly;

/// <summary>
/// Adds single flight across machines to a resilience pipeline: concurrent executions of an equal key become one on all nodes that share a Redis.
/// </summary>
public static class RedisSingleFlightResiliencePipelineBuilderExtensions
{
    /// <summary>
    /// Adds a distributed single flight strategy that takes its key from <see cref="SingleFlightResilienceContextExtensions.SetSingleFlightKey"/>. Executions without a key
    /// are not coalesced.
    /// </summary>
    /// <typeparam name="TResult">The result type of the pipeline.</typeparam>
    /// <param name="builder">The builder. Add a single flight strategy before, so that of each process only a flight's leader asks Redis.</param>
    /// <param name="group">The namespace of keys that the nodes share.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="group"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">The result type is disposable; the message says what to share instead.</exception>
    /// <exception cref="InvalidOperationException">The builder was used to build a pipeline already.</exception>
    public static ResiliencePipelineBuilder<TResult> AddDistributedSingleFlight<TResult>(this ResiliencePipelineBuilder<TResult> builder, RedisSingleFlightGroup group)
        => builder.AddDistributedSingleFlight(group, new DistributedSingleFlightStrategyOptions<TResult>());

    /// <summary>
    /// Adds a distributed single flight strategy.
    /// </summary>
    /// <typeparam name="TResult">The result type of the pipeline.</typeparam>
    /// <param name="builder">The builder. Add a single flight strategy before, so that of each process only a flight's leader asks Redis.</param>
    /// <param name="group">The namespace of keys that the nodes share.</param>
    /// <param name="options">The options.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">The result type is disposable; the message says what to share instead.</exception>
    /// <exception cref="ValidationException"><paramref name="options"/> are invalid; the message names the option.</exception>
    /// <exception cref="InvalidOperationException">The builder was used to build a pipeline already.</exception>
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(DistributedSingleFlightStrategyOptions<>))]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The options that are validated are kept by the dynamic dependency.")]
    public static ResiliencePipelineBuilder<TResult> AddDistributedSingleFlight<TResult>(
        this ResiliencePipelineBuilder<TResult> builder, RedisSingleFlightGroup group, DistributedSingleFlightStrategyOptions<TResult> options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(group);
        ArgumentNullException.ThrowIfNull(options);
        if (ResultType.IsDisposable(typeof(TResult)))
        {
            throw new ArgumentException(ResultType.Refusal(typeof(TResult)), nameof(builder));
        }

        return builder.AddStrategy(context => new DistributedSingleFlightStrategy<TResult>(group, options, context.Telemetry, builder), options);
    }
}
