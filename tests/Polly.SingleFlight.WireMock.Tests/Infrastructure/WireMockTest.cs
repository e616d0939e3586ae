// Tests run one after the other, so that an unobserved exception is found by the test that left it.
[assembly: CollectionBehavior(CollectionBehavior.CollectionPerAssembly)]

namespace Polly.SingleFlight.WireMock.Tests.Infrastructure;

/// <summary>The base of tests against servers of their own; afterwards there must be no unobserved exception.</summary>
public abstract class WireMockTest : IAsyncLifetime
{
    private TokenServer? _server;

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _server?.Dispose();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var faults = Faults.Take();
        Assert.True(faults is [], string.Join(Environment.NewLine, faults));
        return default;
    }

    /// <summary>Starts the server of this test.</summary>
    internal TokenServer Start(string version = "1.1") => _server = new TokenServer(version);
}
