using Polly.SingleFlight;
using Polly.SingleFlight.Caching;

namespace Polly;

/// <summary>
/// What the cache strategy reads from and writes to a <see cref="ResilienceContext"/>.
/// </summary>
public static class CacheResilienceContextExtensions
{
    internal static readonly ResiliencePropertyKey<CacheMode> Mode = new("Polly.SF.Cache.Mode");

    /// <summary>Whether a mode was ever set in this process, so that executions of applications that set none do not look for one. Never unset.</summary>
    private static volatile bool s_hasModes;

    /// <summary>The entry that is about to be replaced, in the context of a callback.</summary>
    internal static readonly ResiliencePropertyKey<object?> Replaced = new("Polly.SF.Cache.Old");

    /// <summary>
    /// Sets what executions with this context do with the cache, until it is set again or the context returns to its pool.
    /// </summary>
    /// <param name="context">The context of the execution.</param>
    /// <param name="mode">The mode. The default is <see cref="CacheMode.Default"/>.</param>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="mode"/> is none of the enumeration's values.</exception>
    public static void SetCacheMode(this ResilienceContext context, CacheMode mode)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (mode is < CacheMode.Default or > CacheMode.Bypass)
        {
            throw new ArgumentOutOfRangeException(nameof(mode), mode, "A mode is Default, Refresh or Bypass.");
        }

        s_hasModes = true;
        context.Properties.Set(Mode, mode);
    }

    internal static CacheMode GetCacheMode(this ResilienceContext context) =>
        s_hasModes && context.Properties.TryGetValue(Mode, out var mode) ? mode : CacheMode.Default;

    /// <summary>
    /// Gets what the cache had to do with the last execution of this context: give it to
    /// <see cref="CacheManualControl.EvictAsync(object, CacheResult, CancellationToken)"/> when the result proves to be invalid.
    /// </summary>
    /// <param name="context">The caller's own context.</param>
    /// <returns>The result, or <see langword="null"/> when no cache strategy has run with this context, or the execution failed.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    /// <remarks>With a cache inside another this is what the inner one had to do with it, if it was asked.</remarks>
    public static CacheResult? GetCacheResult(this ResilienceContext context) => (context.GetResultOrigin() as ICacheSource)?.ToResult(context);

    /// <summary>
    /// Gets the cached result that the callback is called to replace: one that is refreshed ahead, or whose lifetime is over while
    /// <see cref="CacheStrategyOptions{TResult}.StaleOnError"/> keeps it. A callback that learns that nothing was modified (an HTTP <c>304</c> for its
    /// <c>ETag</c>, RFC 9110, 15.4.5) returns it, which renews its lifetime.
    /// </summary>
    /// <typeparam name="TResult">The result type of the execution.</typeparam>
    /// <param name="context">The context that the callback was given.</param>
    /// <param name="result">The old result, or the default of the type.</param>
    /// <returns><see langword="true"/> if there is one.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    public static bool TryGetReplacedResult<TResult>(this ResilienceContext context, out TResult? result)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Properties.TryGetValue(Replaced, out var value) && value is CacheEntry<TResult> entry)
        {
            result = entry.Value;
            return true;
        }

        result = default;
        return false;
    }
}
