using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Extensions.Telemetry;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Configuration;

/// <summary>Sets options from a section, and says once when there is none: its name may be misspelled.</summary>
/// <param name="optionsName">The name of the options, or null for all.</param>
/// <param name="section">The section.</param>
/// <param name="services">Where the log is.</param>
internal sealed class SectionOptions(string? optionsName, IConfiguration section, IServiceProvider services)
    : IConfigureNamedOptions<HttpSingleFlightStrategyOptions>
{
    private int _isReported;

    public void Configure(HttpSingleFlightStrategyOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, HttpSingleFlightStrategyOptions options)
    {
        if (optionsName is not null && optionsName != name)
        {
            return;
        }

        if (section is IConfigurationSection { Path: var path } known && !known.Exists() && Interlocked.Exchange(ref _isReported, 1) == 0)
        {
            Log.SectionMissing(Log.CreateLogger(services.GetRequiredService<ILoggerFactory>()), path);
        }

        SectionBinder.Bind(section, name, options);
    }
}
