namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>A primary handler in memory: counts and records what is sent, and answers as the test says.</summary>
public sealed class Upstream(Func<SentRequest, CancellationToken, Task<HttpResponseMessage>> answer) : HttpMessageHandler
{
    public const string Sent = "sent";

    private readonly List<SentRequest> _requests = [];
    private bool _isDisposed;

    /// <summary>Answers at once.</summary>
    public Upstream(Func<SentRequest, HttpResponseMessage> answer)
        : this((request, _) => Task.FromResult(answer(request)))
    {
    }

    /// <summary>Answers when the gate is open.</summary>
    public Upstream(Gate gate, Func<SentRequest, HttpResponseMessage> answer)
        : this(async (request, token) =>
        {
            await gate.Opened.WaitAsync(token);
            return answer(request);
        })
    {
    }

    public Probe Probe { get; } = new();

    public int Calls => Probe[Sent];

    public SentRequest[] Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>Completes when so many requests have been sent in all.</summary>
    public Task Received(int count) => Probe.Reached(Sent, count);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed), this);
        var sent = await SentRequest.TakeAsync(0, request, cancellationToken);
        lock (_requests)
        {
            sent = sent with { Number = _requests.Count + 1 };
            _requests.Add(sent);
        }

        Probe.Hit(Sent);
        var response = await answer(sent, cancellationToken);
        response.RequestMessage ??= request;
        return response;
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, cancellationToken).GetAwaiter().GetResult();

    protected override void Dispose(bool disposing)
    {
        Volatile.Write(ref _isDisposed, true);
        base.Dispose(disposing);
    }
}
