using Polly.Registry;

[assembly: AssemblyFixture(typeof(Polly.SingleFlight.Extensions.Tests.Infrastructure.PollyMeter))]

namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>
/// Has Polly's instruments made before the first test. Two providers that make them at the same time make two of each, of which one is
/// never used, and a collector may listen to that one.
/// </summary>
public sealed class PollyMeter
{
    public PollyMeter()
    {
        using var provider = new ServiceCollection().AddResiliencePipeline("first", static _ => { }).BuildServiceProvider();
        provider.GetRequiredService<ResiliencePipelineProvider<string>>().GetPipeline("first").Execute(static () => { });
    }
}
