using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Extensions;
using Polly.SingleFlight.Extensions.Configuration;
using Polly.SingleFlight.Http;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Sets options of single flight from configuration, for pipelines that are made with <c>AddResilienceHandler</c>.
/// </summary>
public static class SingleFlightOptionsBuilderExtensions
{
    /// <summary>
    /// Sets the options from a configuration section, now and whenever the section changes, with the rules of
    /// <see cref="SingleFlightHttpClientBuilderExtensions.AddSingleFlight(IHttpClientBuilder, IConfiguration)"/>: it replaces lists, and
    /// refuses what it cannot set. <c>Bind</c> would pass over what it does not know.
    /// </summary>
    /// <param name="builder">The builder of the options.</param>
    /// <param name="section">The section. Its keys are the names of options. A section that does not exist sets nothing, and the log says so once (Information).</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="section"/> is <see langword="null"/>.</exception>
    /// <remarks>
    /// Invalid options are refused with an <see cref="OptionsValidationException"/> that names the key, when the host starts or else when
    /// they are first asked for. When a changed section is invalid, an error is logged, and the options stay as they are.
    /// </remarks>
    public static OptionsBuilder<HttpSingleFlightStrategyOptions> BindSingleFlight(
        this OptionsBuilder<HttpSingleFlightStrategyOptions> builder, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(section);
        var name = builder.Name;
        SingleFlightRegistration.AddShared(builder.Services);
        builder.Services.AddSingleton<IValidateOptions<HttpSingleFlightStrategyOptions>>(
            services => new OptionsValidator(name, services.GetServices<BoundSection>()));
        builder.Services.BindSingleFlight(name, section);
        return builder.ValidateOnStart();
    }

    /// <summary>Sets the options of this name, or with null those of all names, and keeps an eye on the section.</summary>
    internal static void BindSingleFlight(this IServiceCollection services, string? name, IConfiguration section)
    {
        services.AddSingleton<IConfigureOptions<HttpSingleFlightStrategyOptions>>(provider => new SectionOptions(name, section, provider));
        services.AddSingleton(new BoundSection(name, section));
        if (name is not null)
        {
            services.AddSingleton<IOptionsChangeTokenSource<HttpSingleFlightStrategyOptions>>(provider => new SectionReload(name, section, provider));
        }
    }
}
