using Microsoft.Extensions.Http.Resilience;
using Polly.SingleFlight;
using Polly.SingleFlight.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// What a pipeline of <c>AddResilienceHandler</c> needs for single flight.
/// </summary>
public static class SingleFlightResilienceHandlerContextExtensions
{
    /// <summary>
    /// Gets the group of this client and this pipeline. It is the same whenever the pipeline is built again, so that a flight in the air is
    /// still joined after a reload. Give it to the options before <c>AddSingleFlight</c>.
    /// </summary>
    /// <param name="context">The context of the pipeline that is being built.</param>
    /// <returns>The group.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    public static SingleFlightGroup GetSingleFlightGroup(this ResilienceHandlerContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return SingleFlightGroups.Get(context.ServiceProvider, context.BuilderName, context.InstanceName);
    }
}
