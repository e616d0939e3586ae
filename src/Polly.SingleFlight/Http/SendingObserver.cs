namespace Polly.SingleFlight.Http;

/// <summary>
/// Sees the flight's request as it goes out, behind all handlers that might add to it. Whoever stands there calls the function
/// that is the request's option <see cref="OptionName"/>; registrations of Polly.SingleFlight.Extensions do.
/// </summary>
/// <param name="guard">Judges what it sees.</param>
/// <param name="call">The request as its caller asked.</param>
/// <param name="outer">The observer of a flight outside, whose request this flight's is a clone of.</param>
internal sealed class SendingObserver(IdentityGuard guard, HttpCall call, Action<HttpRequestMessage>? outer)
{
    public const string OptionName = "Polly.SingleFlight.Sending";

    /// <summary>Guarded by this object, as the rest of it is by nothing else.</summary>
    private List<HttpRequestMessage>? _seen;
    private string? _addition;

    public static readonly HttpRequestOptionsKey<Action<HttpRequestMessage>> Option = new(OptionName);

    /// <summary>Whether this very message was seen going out. A handler may send another one after the first was answered.</summary>
    public bool HasSeen(HttpRequestMessage message)
    {
        lock (this)
        {
            return _seen?.Contains(message) == true;
        }
    }

    /// <summary>What the request went out with, in any attempt, that the caller did not ask with; null when there was nothing.</summary>
    public string? Addition => Volatile.Read(ref _addition);

    public void See(HttpRequestMessage request)
    {
        lock (this)
        {
            (_seen ??= []).Add(request);
        }

        // Hedged attempts go out at the same time; one that adds nothing must not take away what another added.
        if (call.Exchange is { } exchange && guard.FindAtSending(call, exchange, request) is { } addition)
        {
            Interlocked.CompareExchange(ref _addition, addition, null);
        }

        outer?.Invoke(request);
    }

    /// <summary>
    /// Shows a flight outside the request as it is after it was sent, where no handler showed it before: the response refers to the
    /// outer flight's request from now on, which has nothing of what was added to this one.
    /// </summary>
    public void Pass(HttpRequestMessage? sent)
    {
        if (outer is not null && sent is not null && !HasSeen(sent))
        {
            outer(sent);
        }
    }
}
