namespace Polly.SingleFlight.Http;

/// <summary>
/// Observes the flight's request just before it is sent, behind all handlers that may change it. The last handler calls the function in the
/// request option <see cref="OptionName"/>; Polly.SingleFlight.Extensions registers such a handler.
/// </summary>
/// <param name="guard">Finds additions in the request.</param>
/// <param name="call">The leader's request.</param>
/// <param name="outer">Calls the observer of the flight around this one; null if there is none.</param>
internal sealed class SendingObserver(IdentityGuard guard, HttpCall call, Action<HttpRequestMessage>? outer)
{
    public const string OptionName = "Polly.SingleFlight.Sending";

    /// <summary>Made with the first message. Guarded by a lock on this object.</summary>
    private List<HttpRequestMessage>? _seen;

    /// <summary>Written once, with <see cref="Interlocked"/>.</summary>
    private string? _addition;

    public static readonly HttpRequestOptionsKey<Action<HttpRequestMessage>> Option = new(OptionName);

    /// <summary>Whether this message was observed. A handler may send other messages for the same flight.</summary>
    public bool HasSeen(HttpRequestMessage message)
    {
        lock (this)
        {
            return _seen?.Contains(message) == true;
        }
    }

    /// <summary>The first addition that the guard found in any attempt; null if there was none.</summary>
    public string? Addition => Volatile.Read(ref _addition);

    public void Observe(HttpRequestMessage request)
    {
        lock (this)
        {
            (_seen ??= []).Add(request);
        }

        // Hedged attempts are sent at the same time. An attempt without an addition does not overwrite that of another.
        if (call.Exchange is { } exchange && guard.FindAtSending(call, exchange, request) is { } addition)
        {
            Interlocked.CompareExchange(ref _addition, addition, null);
        }

        outer?.Invoke(request);
    }

    /// <summary>
    /// Shows the sent request to the observer of the outer flight, unless a handler did so before. The response gets the outer flight's request
    /// afterwards, in which the additions to this one are missing.
    /// </summary>
    public void ShowToOuter(HttpRequestMessage? sent)
    {
        if (outer is not null && sent is not null && !HasSeen(sent))
        {
            outer(sent);
        }
    }
}
