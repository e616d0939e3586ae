namespace Polly.SingleFlight.WireMock.Tests.Infrastructure;

/// <summary>The base of tests against the server; afterwards there must be no unobserved exception.</summary>
public abstract class WireMockTest(WireMockFixture fixture) : IAsyncLifetime
{
    internal WireMockServer Server { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync() => Server = await fixture.GetServerAsync();

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var faults = Faults.Take();
        Assert.True(faults is [], string.Join(Environment.NewLine, faults));
        return default;
    }
}
