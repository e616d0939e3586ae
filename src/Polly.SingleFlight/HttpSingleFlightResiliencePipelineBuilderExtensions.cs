using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Polly.SingleFlight.Http;

namespace Polly;

/// <summary>
/// Adds single flight to a resilience pipeline of HTTP responses: concurrent equal requests become one.
/// </summary>
public static class HttpSingleFlightResiliencePipelineBuilderExtensions
{
    /// <summary>
    /// Adds a single flight strategy that takes its key from the HTTP request, with the defaults of
    /// <see cref="HttpSingleFlightStrategyOptions"/>.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is <see langword="null"/>.</exception>
    /// <exception cref="InvalidOperationException">The builder was used to build a pipeline already.</exception>
    /// <remarks>
    /// The request is found in the property <c>Resilience.Http.RequestMessage</c> of the execution's context, where
    /// the handlers of Microsoft.Extensions.Http.Resilience and of Polly.SingleFlight.Extensions put it.
    /// </remarks>
    public static ResiliencePipelineBuilder<HttpResponseMessage> AddSingleFlight(this ResiliencePipelineBuilder<HttpResponseMessage> builder)
        => builder.AddSingleFlight(new HttpSingleFlightStrategyOptions());

    /// <summary>
    /// Adds a single flight strategy that takes its key from the HTTP request.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="options">The options.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="options"/> is <see langword="null"/>.</exception>
    /// <exception cref="ValidationException"><paramref name="options"/> are invalid; the message names the option.</exception>
    /// <exception cref="InvalidOperationException">The builder was used to build a pipeline already.</exception>
    /// <remarks>
    /// The request is found in the property <c>Resilience.Http.RequestMessage</c> of the execution's context, where
    /// the handlers of Microsoft.Extensions.Http.Resilience and of Polly.SingleFlight.Extensions put it.
    /// </remarks>
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(HttpSingleFlightStrategyOptions))]
    public static ResiliencePipelineBuilder<HttpResponseMessage> AddSingleFlight(
        this ResiliencePipelineBuilder<HttpResponseMessage> builder, HttpSingleFlightStrategyOptions options)
        => builder.AddSingleFlight<ResiliencePipelineBuilder<HttpResponseMessage>>(options);
}
