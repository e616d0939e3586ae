using Microsoft.Extensions.Internal;

namespace Polly.SingleFlight.Caching.Tests.Infrastructure;

/// <summary>The test's clock, as Microsoft's memory cache wants it.</summary>
internal sealed class CacheClock(TimeProvider clock) : ISystemClock
{
    public DateTimeOffset UtcNow => clock.GetUtcNow();
}
