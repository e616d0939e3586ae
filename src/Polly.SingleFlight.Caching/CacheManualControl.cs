using System.Diagnostics.CodeAnalysis;

namespace Polly.SingleFlight.Caching;

/// <summary>
/// Evicts entries by hand: after a write, at a logout, or when a token has proved to be invalid. Set it in the options of the strategies that it is to
/// control; one control may serve several.
/// </summary>
/// <remarks>
/// All members are safe to call from any thread. They reach the strategies whose pipelines are built; build the pipeline before you evict what another process
/// has stored. What the cache throws is thrown.
/// </remarks>
public sealed class CacheManualControl
{
    private readonly object _gate = new();

    /// <summary>Guarded by the gate. Weak, because an unused pipeline is not always disposed.</summary>
    private readonly List<WeakReference<IEvictor>> _evictors = [];

    /// <summary>
    /// Evicts the entry of a key. Calls for it that are in the air keep nothing, and single flight inside gives their outcome to no newcomer, so that callers who come after
    /// this has returned starts afresh: this one call is all that is needed after a write.
    /// </summary>
    /// <param name="key">The key, as the strategy's <c>KeyGenerator</c> makes it.</param>
    /// <param name="cancellationToken">Ends the wait for the cache.</param>
    /// <returns>A task that ends when the cache has removed the entry.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is <see langword="null"/>.</exception>
    /// <exception cref="InvalidOperationException">A <c>HybridCache</c> cannot take the key.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> has fired.</exception>
    /// <remarks>
    /// Calls of other processes that are in the air store nothing over a <c>HybridCache</c> for the next <see cref="CacheStrategyOptions{TResult}.RefreshTimeout"/>. Copies in
    /// the memory of other processes last as long as the cache lets them: see its backplane, or <see cref="CacheStrategyOptions{TResult}.LocalCacheLifetime"/>.
    /// </remarks>
    [SuppressMessage("ApiDesign", "RS0026", Justification = "The overloads differ in their required parameters.")]
    public async ValueTask EvictAsync(object key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        foreach (var evictor in Evictors())
        {
            await evictor.EvictAsync(key, null, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Evicts the entry of a key if it is the one that a caller has seen, or an older one. Of many callers that saw the same invalid result one evicts it, and a late one
    /// does not evict the new.
    /// </summary>
    /// <param name="key">The key, as the strategy's <c>KeyGenerator</c> makes it.</param>
    /// <param name="seen">What <see cref="CacheResilienceContextExtensions.GetCacheResult"/> gave the caller.</param>
    /// <param name="cancellationToken">Ends the wait for the cache.</param>
    /// <returns><see langword="true"/> if an entry was evicted.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> or <paramref name="seen"/> is <see langword="null"/>.</exception>
    /// <exception cref="InvalidOperationException">A <c>HybridCache</c> cannot take the key.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> has fired.</exception>
    [SuppressMessage("ApiDesign", "RS0026", Justification = "The overloads differ in their required parameters.")]
    public async ValueTask<bool> EvictAsync(object key, CacheResult seen, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(seen);
        var evicted = false;
        foreach (var evictor in Evictors())
        {
            evicted |= await evictor.EvictAsync(key, seen, cancellationToken).ConfigureAwait(false);
        }

        return evicted;
    }

    /// <summary>
    /// Evicts every entry of the strategies' scopes. Calls in the air keep nothing, and single flight inside gives their outcome to no newcomer.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait for the cache.</param>
    /// <returns>A task that ends when the cache has removed the entries.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> has fired.</exception>
    /// <remarks>
    /// A <c>HybridCache</c> removes them by a tag, which entries have that were stored by a strategy with a control. Calls that are in the air on other nodes may store what they
    /// called for.
    /// </remarks>
    public async ValueTask EvictAllAsync(CancellationToken cancellationToken = default)
    {
        foreach (var evictor in Evictors())
        {
            await evictor.EvictAllAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    internal void Add(IEvictor evictor)
    {
        lock (_gate)
        {
            _evictors.RemoveAll(static reference => !reference.TryGetTarget(out _));
            _evictors.Add(new WeakReference<IEvictor>(evictor));
        }
    }

    internal void Remove(IEvictor evictor)
    {
        lock (_gate)
        {
            _evictors.RemoveAll(reference => !reference.TryGetTarget(out var target) || target == evictor);
        }
    }

    private List<IEvictor> Evictors()
    {
        var found = new List<IEvictor>();
        lock (_gate)
        {
            foreach (var reference in _evictors)
            {
                if (reference.TryGetTarget(out var evictor))
                {
                    found.Add(evictor);
                }
            }
        }

        return found;
    }
}
