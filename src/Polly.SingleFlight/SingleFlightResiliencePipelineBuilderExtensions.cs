using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Polly.SingleFlight;
using Polly.SingleFlight.Http;

namespace Polly;

/// <summary>
/// Adds single flight to a resilience pipeline: concurrent executions of an equal key become one.
/// </summary>
public static class SingleFlightResiliencePipelineBuilderExtensions
{
    /// <summary>
    /// Adds a single flight strategy that takes its key from
    /// <see cref="SingleFlightResilienceContextExtensions.SetSingleFlightKey"/>. Executions without a key are not coalesced.
    /// </summary>
    /// <typeparam name="TBuilder">The type of the builder.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is <see langword="null"/>.</exception>
    /// <exception cref="InvalidOperationException">The builder was used to build a pipeline already.</exception>
    public static TBuilder AddSingleFlight<TBuilder>(this TBuilder builder)
        where TBuilder : ResiliencePipelineBuilderBase
        => builder is ResiliencePipelineBuilder<HttpResponseMessage>
            ? builder.AddSingleFlight(new HttpSingleFlightStrategyOptions())
            : builder.AddSingleFlight(new SingleFlightStrategyOptions());

    /// <summary>
    /// Adds a single flight strategy.
    /// </summary>
    /// <typeparam name="TBuilder">The type of the builder.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="options">The options.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="options"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="options"/> are for another result type than the builder's.</exception>
    /// <exception cref="ValidationException"><paramref name="options"/> are invalid; the message names the option.</exception>
    /// <exception cref="InvalidOperationException">The builder was used to build a pipeline already.</exception>
    /// <remarks>
    /// Building a pipeline whose result type is disposable throws an <see cref="InvalidOperationException"/> unless the
    /// options have a <see cref="SingleFlightStrategyOptions{TResult}.ResultCloner"/>.
    /// </remarks>
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(SingleFlightStrategyOptions))]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The options that are validated are kept by the dynamic dependency.")]
    public static TBuilder AddSingleFlight<TBuilder>(this TBuilder builder, SingleFlightStrategyOptions options)
        where TBuilder : ResiliencePipelineBuilderBase
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);

        var resultType = ResultTypeOf(builder);
        if (options.ResultType is { } optionsType && optionsType != resultType)
        {
            throw new ArgumentException(WrongResultType(options, resultType), nameof(options));
        }

        return builder.AddStrategy(
            context => new SingleFlightResilienceStrategy(options, resultType, context.Telemetry, builder), options);
    }

    /// <summary>
    /// Adds a single flight strategy with options for the builder's result type.
    /// </summary>
    /// <typeparam name="TResult">The result type of the pipeline.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="options">The options.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="options"/> is <see langword="null"/>.</exception>
    /// <exception cref="ValidationException"><paramref name="options"/> are invalid; the message names the option.</exception>
    /// <exception cref="InvalidOperationException">The builder was used to build a pipeline already.</exception>
    /// <remarks>
    /// Building a pipeline whose result type is disposable throws an <see cref="InvalidOperationException"/> unless the
    /// options have a <see cref="SingleFlightStrategyOptions{TResult}.ResultCloner"/>.
    /// </remarks>
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(SingleFlightStrategyOptions<>))]
    public static ResiliencePipelineBuilder<TResult> AddSingleFlight<TResult>(
        this ResiliencePipelineBuilder<TResult> builder, SingleFlightStrategyOptions<TResult> options)
        => builder.AddSingleFlight<ResiliencePipelineBuilder<TResult>>(options);

    private static Type? ResultTypeOf(ResiliencePipelineBuilderBase builder)
    {
        var type = builder.GetType();
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ResiliencePipelineBuilder<>)
            ? type.GetGenericArguments()[0]
            : null;
    }

    private static string WrongResultType(SingleFlightStrategyOptions options, Type? builderType) =>
        builderType is null
            ? $"{NameOf(options)} cannot be used on a ResiliencePipelineBuilder, which has no " +
              $"result type of its own. Write new SingleFlightStrategyOptions(), or build with new ResiliencePipelineBuilder<{options.ResultType!.Name}>()."
            : $"{NameOf(options)} cannot be used on a ResiliencePipelineBuilder<{builderType.Name}>. " +
              $"Write new SingleFlightStrategyOptions<{builderType.Name}>().";

    private static string NameOf(SingleFlightStrategyOptions options) =>
        options is HttpSingleFlightStrategyOptions ? nameof(HttpSingleFlightStrategyOptions) : $"SingleFlightStrategyOptions<{options.ResultType!.Name}>";
}
