namespace Polly.SingleFlight.Http;

/// <summary>
/// Sees the flight's request as it goes out, behind all handlers that might add to it. Whoever stands there calls the function
/// that is the request's option <see cref="OptionName"/>; registrations of Polly.SingleFlight.Extensions do.
/// </summary>
internal sealed class SendingWitness(IdentityGuard guard, HttpCall call)
{
    public const string OptionName = "Polly.SingleFlight.Sending";

    public static readonly HttpRequestOptionsKey<Action<HttpRequestMessage>> Option = new(OptionName);

    /// <summary>Whether anybody stands there.</summary>
    public bool HasSeen { get; private set; }

    /// <summary>What the request went out with, in any attempt, that the caller did not ask with; null when there was nothing.</summary>
    public string? Addition { get; private set; }

    public void See(HttpRequestMessage request)
    {
        HasSeen = true;
        Addition ??= call.Exchange is { } exchange ? guard.FindAtSending(call, exchange, request) : null;
    }
}
