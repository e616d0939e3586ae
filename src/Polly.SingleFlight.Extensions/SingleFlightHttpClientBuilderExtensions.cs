using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Extensions;
using Polly.SingleFlight.Http;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Adds single flight to a client of <see cref="IHttpClientFactory"/>: concurrent equal requests become one.
/// </summary>
/// <remarks>
/// <para>
/// Handlers run in the order in which they are added. Add single flight after handlers that add an identity to the request, such as a
/// token of the current user, so that the identity is part of what makes requests equal; and before handlers that are to run once
/// for all callers.
/// </para>
/// <para>
/// Handlers of resilience and of service discovery always go inside, wherever they were added: those that were added before, by
/// <c>ConfigureHttpClientDefaults(client => client.AddStandardResilienceHandler())</c> for instance, are moved to right behind single flight, and the log
/// says so once per client (Information). <see cref="HttpSingleFlightStrategyOptions.KeepHandlerOrder"/> keeps the order.
/// </para>
/// </remarks>
public static class SingleFlightHttpClientBuilderExtensions
{
    /// <summary>
    /// Adds single flight with the <see cref="HttpSingleFlightStrategyOptions"/> that are named after the client.
    /// </summary>
    /// <param name="builder">The builder of the client, or of all clients in <c>ConfigureHttpClientDefaults</c>.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is <see langword="null"/>.</exception>
    /// <remarks>
    /// <para>
    /// A client has one such handler, at the place of the last call; all calls configure the same options, in the
    /// order of the calls. When the options change, requests sent from then on follow the new ones, and flights in the air go on.
    /// </para>
    /// <para>
    /// Invalid options are refused with an <see cref="OptionsValidationException"/> when the host starts, or else when the client is created
    /// for the first time. Options without a <see cref="Polly.SingleFlight.SingleFlightStrategyOptions.Group"/> are given one that
    /// belongs to the client and stays the same.
    /// </para>
    /// <para>
    /// The pipeline shows on Polly's meter and in its log under the name <c>SingleFlight</c>, with the name of the client as its instance.
    /// </para>
    /// </remarks>
    public static IHttpClientBuilder AddSingleFlight(this IHttpClientBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        SingleFlightRegistration.AddClient(builder.Services, builder.Name);
        return builder;
    }

    /// <summary>
    /// Adds single flight and configures the options that are named after the client.
    /// </summary>
    /// <param name="builder">The builder of the client, or of all clients in <c>ConfigureHttpClientDefaults</c>.</param>
    /// <param name="configure">Configures the options, for instance with <see cref="HttpSingleFlightStrategyOptions.UseTokenEndpoint"/>.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="configure"/> is <see langword="null"/>.</exception>
    /// <remarks>See <see cref="AddSingleFlight(IHttpClientBuilder)"/>.</remarks>
    public static IHttpClientBuilder AddSingleFlight(this IHttpClientBuilder builder, Action<HttpSingleFlightStrategyOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.AddSingleFlight();
        builder.Services.AddSingleton<IConfigureOptions<HttpSingleFlightStrategyOptions>>(
            new ConfigureNamedOptions<HttpSingleFlightStrategyOptions>(builder.Name, configure));
        return builder;
    }

    /// <summary>
    /// Adds single flight and sets the options that are named after the client from a configuration section, now and whenever
    /// the section changes.
    /// </summary>
    /// <param name="builder">The builder of the client, or of all clients in <c>ConfigureHttpClientDefaults</c>, where the section is not watched.</param>
    /// <param name="section">
    /// The section. Its keys are the names of options: every single value, and the lists <c>Methods</c>, <c>ExcludedHeaders</c>,
    /// <c>HarmlessHeaders</c> and <c>BypassHeaders</c>, which replace the default. <c>AdditionalExcludedHeaders</c> and
    /// <c>AdditionalHarmlessHeaders</c> add to it. A section that does not exist sets nothing, and the log says so once (Information).
    /// </param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="section"/> is <see langword="null"/>.</exception>
    /// <remarks>
    /// <para>
    /// A key that is not an option, an option that only code can set, and a value that is not what the option takes are refused as
    /// invalid options are, with the full path of the key. When a changed section is invalid, an error is logged, and
    /// the options stay as they are.
    /// </para>
    /// <para>
    /// A section that is given in <c>ConfigureHttpClientDefaults</c> is not watched: it is read when the options of a client are made, which is when the client is created for the first
    /// time, or when the section of the client itself changes. Give the section to each client that is to follow changes.
    /// </para>
    /// <para>
    /// Only a section that is given to this method, or to <c>BindSingleFlight</c>, is tried before a change takes effect. A change to something invalid
    /// that comes by <c>services.Configure&lt;HttpSingleFlightStrategyOptions&gt;(name, section)</c> is thrown at whoever reloads the configuration, and no
    /// error is logged at once; the client goes on with the options it had.
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
}
