namespace Polly.SingleFlight.Http;

/// <summary>
/// Extensions of <see cref="HttpRequestMessage"/> that control how single flight treats it.
/// </summary>
public static class HttpSingleFlightRequestExtensions
{
    private static readonly HttpRequestOptionsKey<bool> s_disabled = new("Polly.SingleFlight.Disabled");
    private static readonly HttpRequestOptionsKey<object> s_key = new("Polly.SingleFlight.Key");

    /// <summary>
    /// Keeps this request from being coalesced.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is <see langword="null"/>.</exception>
    public static void DisableSingleFlight(this HttpRequestMessage request)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.Options.Set(s_disabled, true);
    }

    /// <summary>
    /// Sets the key under which this request is coalesced. It replaces the key that is made from the request and that of a
    /// <see cref="SingleFlightStrategyOptions.KeyGenerator"/>. A request that is not coalesced for another reason, such as its method, is still
    /// not coalesced.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="key">
    /// Any value with value equality that contains every part in which two requests may differ, the identity that they are sent with included.
    /// The empty string bypasses.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> or <paramref name="key"/> is <see langword="null"/>.</exception>
    public static void SetSingleFlightKey(this HttpRequestMessage request, object key)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(key);
        request.Options.Set(s_key, key);
    }

    internal static bool IsSingleFlightDisabled(this HttpRequestMessage request) =>
        request.Options.TryGetValue(s_disabled, out var disabled) && disabled;

    internal static object? GetSingleFlightKey(this HttpRequestMessage request) =>
        request.Options.TryGetValue(s_key, out var key) ? key : null;
}
