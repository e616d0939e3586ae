namespace Polly.SingleFlight.WireMock.Tests.Infrastructure;

/// <summary>
/// Stands between the flight and the network, and keeps what the server did, an answer or a failure, until the gate is open. So
/// everybody joins in time, however slow the machine.
/// </summary>
internal sealed class HoldingHandler(Gate gate) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        finally
        {
            await gate.Opened.WaitAsync(cancellationToken);
        }
    }
}
