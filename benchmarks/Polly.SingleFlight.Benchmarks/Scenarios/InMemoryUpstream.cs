using System.Net;

namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>A primary handler that answers every request from memory, at once or when the gate opens.</summary>
internal sealed class InMemoryUpstream(int bodyBytes) : HttpMessageHandler
{
    private readonly byte[] _body = new byte[bodyBytes];
    private readonly Lock _swap = new();
    private TaskCompletionSource? _gate;
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    public void Close()
    {
        lock (_swap)
        {
            _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void Open()
    {
        lock (_swap)
        {
            _gate!.SetResult();
            _gate = null;
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        if (_gate is { } gate)
        {
            await gate.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        return new HttpResponseMessage(HttpStatusCode.OK)
        {
            Content = new ByteArrayContent(_body) { Headers = { { "Content-Type", "application/json" } } },
            RequestMessage = request,
        };
    }
}
