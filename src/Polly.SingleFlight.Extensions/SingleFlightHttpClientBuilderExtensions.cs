using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Polly;
using Polly.SingleFlight.Extensions.Configuration;
using Polly.SingleFlight.Extensions.Pipelines;
using Polly.SingleFlight.Http;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Adds single flight to a client of <see cref="IHttpClientFactory"/>: concurrent equal requests become one.
/// </summary>
/// <remarks>
/// Handlers run in the order in which they are added. Add single flight after handlers that add an identity to the request, such as a
/// token of the current user, so that the identity is part of what makes requests equal; and before handlers that are to run once
/// for all callers, such as retries.
/// </remarks>
public static class SingleFlightHttpClientBuilderExtensions
{
    private const string SingleFlight = "SingleFlight";

    /// <summary>
    /// Adds single flight with the <see cref="HttpSingleFlightStrategyOptions"/> that are named after the client.
    /// </summary>
    /// <param name="builder">The builder of the client.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is <see langword="null"/>.</exception>
    /// <exception cref="InvalidOperationException">
    /// <see cref="AddSingleFlightHandler"/> has added a pipeline of the name <c>SingleFlight</c> to the client.
    /// </exception>
    /// <remarks>
    /// <para>
    /// A client has one such handler, at the place of the first call; further calls only configure the same options, in the
    /// order of the calls. When the options change, requests sent from then on follow the new ones, and flights in the air go on.
    /// </para>
    /// <para>
    /// Invalid options are refused with an <see cref="OptionsValidationException"/> when the host starts, or else when the client is created
    /// for the first time. Options without a <see cref="Polly.SingleFlight.SingleFlightStrategyOptions.Group"/> are given one that
    /// belongs to the client and stays the same.
    /// </para>
    /// </remarks>
    public static IHttpClientBuilder AddSingleFlight(this IHttpClientBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var name = builder.Name;
        var services = builder.Services;
        var registration = new PipelineRegistration(name, SingleFlight, IsConfiguredTogether: true);
        if (registration.TryAdd(services))
        {
            AddOptions(services, name);
            registration.AddHandler(services, static (pipeline, context) =>
            {
                context.EnableReloads<HttpSingleFlightStrategyOptions>(context.ClientName);
                pipeline.AddSingleFlight(context.GetOptions<HttpSingleFlightStrategyOptions>(context.ClientName));
            });
        }

        return builder;
    }

    /// <summary>
    /// Adds single flight and configures the options that are named after the client.
    /// </summary>
    /// <param name="builder">The builder of the client.</param>
    /// <param name="configure">Configures the options, for instance with <see cref="HttpSingleFlightStrategyOptions.UseTokenEndpoint"/>.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="configure"/> is <see langword="null"/>.</exception>
    /// <exception cref="InvalidOperationException">
    /// <see cref="AddSingleFlightHandler"/> has added a pipeline of the name <c>SingleFlight</c> to the client.
    /// </exception>
    /// <remarks>See <see cref="AddSingleFlight(IHttpClientBuilder)"/>.</remarks>
    public static IHttpClientBuilder AddSingleFlight(this IHttpClientBuilder builder, Action<HttpSingleFlightStrategyOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.AddSingleFlight();
        Configure(builder, configure);
        return builder;
    }

    /// <summary>
    /// Adds single flight and sets the options that are named after the client from a configuration section, now and whenever
    /// the section changes.
    /// </summary>
    /// <param name="builder">The builder of the client.</param>
    /// <param name="section">
    /// The section. Its keys are the names of options: every single value, and the lists <c>Methods</c>, <c>ExcludedHeaders</c> and
    /// <c>BypassHeaders</c>, which replace the default. A section that is not there changes nothing.
    /// </param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="section"/> is <see langword="null"/>.</exception>
    /// <exception cref="InvalidOperationException">
    /// <see cref="AddSingleFlightHandler"/> has added a pipeline of the name <c>SingleFlight</c> to the client.
    /// </exception>
    /// <remarks>
    /// <para>
    /// A key that is not an option, an option that only code can set, and a value that is not what the option takes are refused as
    /// invalid options are, with the full path of the key. When a changed section is invalid, an error is logged, and
    /// the options stay as they are.
    /// </para>
    /// <para>See <see cref="AddSingleFlight(IHttpClientBuilder)"/>.</para>
    /// </remarks>
    public static IHttpClientBuilder AddSingleFlight(this IHttpClientBuilder builder, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(section);
        builder.AddSingleFlight();
        builder.Services.BindSingleFlight(builder.Name, section);
        return builder;
    }

    /// <summary>
    /// Adds a handler that sends the requests of the client through a pipeline of Polly strategies. The strategies added first are
    /// the outermost.
    /// </summary>
    /// <param name="builder">The builder of the client.</param>
    /// <param name="pipelineName">The name of the pipeline, unique for the client. Telemetry shows it, and the client's name as the instance.</param>
    /// <param name="configure">
    /// Adds the strategies. It is called when the client is created for the first time, and again when options change whose
    /// reloads it has enabled. The pipeline is kept for all handlers of the client.
    /// </param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException">
    /// <paramref name="builder"/>, <paramref name="pipelineName"/> or <paramref name="configure"/> is <see langword="null"/>.
    /// </exception>
    /// <exception cref="ArgumentException"><paramref name="pipelineName"/> is empty.</exception>
    /// <exception cref="InvalidOperationException">The client has a pipeline of that name already.</exception>
    /// <remarks>
    /// The request is the property <c>Resilience.Http.RequestMessage</c> of the execution's context, and the context the option
    /// <c>Resilience.Http.ResilienceContext</c> of the request. A request that comes with a context is executed on that one, and
    /// with its token; so are the requests of a handler inside another.
    /// </remarks>
    public static IHttpClientBuilder AddSingleFlightHandler(
        this IHttpClientBuilder builder,
        string pipelineName,
        Action<ResiliencePipelineBuilder<HttpResponseMessage>, SingleFlightHandlerContext> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(pipelineName);
        ArgumentNullException.ThrowIfNull(configure);
        var registration = new PipelineRegistration(builder.Name, pipelineName, IsConfiguredTogether: false);
        registration.TryAdd(builder.Services);
        registration.AddHandler(builder.Services, configure);
        return builder;
    }

    private static void AddOptions(IServiceCollection services, string? name)
    {
        if (name is not null)
        {
            services.AddOptions<HttpSingleFlightStrategyOptions>(name).ValidateOnStart();
        }

        services.AddSingleton<IValidateOptions<HttpSingleFlightStrategyOptions>>(
            provider => new OptionsValidator(name, provider.GetServices<BoundSection>()));
        services.AddSingleton<IPostConfigureOptions<HttpSingleFlightStrategyOptions>>(
            provider => new DefaultGroup(name, SingleFlight, provider.GetRequiredService<PipelineRegistry>()));
    }

    private static void Configure(IHttpClientBuilder builder, Action<HttpSingleFlightStrategyOptions> configure) =>
        builder.Services.AddSingleton<IConfigureOptions<HttpSingleFlightStrategyOptions>>(
            new ConfigureNamedOptions<HttpSingleFlightStrategyOptions>(builder.Name, configure));
}
