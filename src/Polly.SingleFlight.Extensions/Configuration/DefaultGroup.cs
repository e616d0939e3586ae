using Microsoft.Extensions.Options;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Configuration;

/// <summary>
/// Gives options without a group that of their client, which survives reloads. It happens where options are made, since
/// later they belong to everybody.
/// </summary>
/// <param name="optionsName">The name of the options, or null for all.</param>
/// <param name="services">The services that the client belongs to.</param>
internal sealed class DefaultGroup(string? optionsName, IServiceProvider services) : IPostConfigureOptions<HttpSingleFlightStrategyOptions>
{
    public void PostConfigure(string? name, HttpSingleFlightStrategyOptions options)
    {
        if (optionsName is null || optionsName == name)
        {
            options.Group ??= SingleFlightGroups.Get(services, SingleFlightPipeline.Name, name ?? Options.DefaultName);
        }
    }
}
