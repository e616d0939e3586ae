using System.Diagnostics.CodeAnalysis;

namespace Polly.SingleFlight.Caching;

/// <summary>
/// How long a result is kept, counted from the end of the call for it.
/// </summary>
/// <param name="Lifetime">How long the result is returned. Zero or less: it is not cached.</param>
/// <param name="RefreshAfter">
/// After what time a hit has the result refreshed in the background. <see langword="null"/>, the default: never. A time of
/// <paramref name="Lifetime"/> or more never comes.
/// </param>
public readonly record struct CacheLifetime(TimeSpan Lifetime, TimeSpan? RefreshAfter = null)
{
    private const double RefreshAt = 0.8;
    private const int SmallestShareOfMargin = 5;

    private static readonly TimeSpan s_largestMargin = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Gets the lifetime of a result that is not cached.
    /// </summary>
    public static CacheLifetime None => default;

    /// <summary>
    /// Makes a lifetime from the <c>expires_in</c> of a token response (RFC 6749, 5.1) or the like.
    /// </summary>
    /// <param name="expiresIn">The time for which the result is valid, as its issuer says.</param>
    /// <param name="elapsed">
    /// The time since the call began. The issuer's clock started somewhere in between, so counting from the start is on the safe side.
    /// The default is zero.
    /// </param>
    /// <returns>
    /// <paramref name="expiresIn"/> less <paramref name="elapsed"/> and a margin of 60 seconds or 20 % of
    /// <paramref name="expiresIn"/>, whichever is smaller, with a refresh after 80 % of what remains; <see cref="None"/> when nothing remains.
    /// </returns>
    [SuppressMessage("ApiDesign", "RS0026", Justification = "The overloads differ in their first required parameter.")]
    public static CacheLifetime FromExpiresIn(TimeSpan expiresIn, TimeSpan elapsed = default)
    {
        if (expiresIn <= TimeSpan.Zero)
        {
            return None;
        }

        var margin = expiresIn / SmallestShareOfMargin;
        var remaining = expiresIn - (margin < s_largestMargin ? margin : s_largestMargin);

        // Compared before it is subtracted, so that no elapsed time overflows.
        if (elapsed >= remaining)
        {
            return None;
        }

        var lifetime = elapsed > TimeSpan.Zero ? remaining - elapsed : remaining;
        return new CacheLifetime(lifetime, lifetime * RefreshAt);
    }

    /// <summary>
    /// Makes a lifetime from the <c>expires_in</c> of a token response in seconds (RFC 6749, 5.1).
    /// </summary>
    /// <param name="seconds">The time for which the result is valid, in seconds, as its issuer says.</param>
    /// <param name="elapsed">The time since the call began. The default is zero.</param>
    /// <returns>The same as <see cref="FromExpiresIn(TimeSpan, TimeSpan)"/>.</returns>
    [SuppressMessage("ApiDesign", "RS0026", Justification = "The overloads differ in their first required parameter.")]
    public static CacheLifetime FromExpiresIn(int seconds, TimeSpan elapsed = default) => FromExpiresIn(TimeSpan.FromSeconds((double)seconds), elapsed);
}
