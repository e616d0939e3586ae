using Microsoft.Extensions.Options;
using Polly.SingleFlight.Extensions.Pipelines;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Configuration;

/// <summary>
/// Gives options without a group that of their client, which survives reloads. It happens where options are made, since
/// later they belong to everybody.
/// </summary>
internal sealed class DefaultGroup(string? optionsName, string pipelineName, PipelineRegistry registry) : IPostConfigureOptions<HttpSingleFlightStrategyOptions>
{
    public void PostConfigure(string? name, HttpSingleFlightStrategyOptions options)
    {
        if (optionsName is null || optionsName == name)
        {
            options.Group ??= registry.GroupOf(new PipelineKey(name ?? Options.DefaultName, pipelineName));
        }
    }
}
