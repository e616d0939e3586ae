using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;

namespace Polly.SingleFlight;

/// <summary>
/// A flight, or the execution of a caller that runs alone, as a <see cref="FlightInterceptor"/> sees it.
/// </summary>
public sealed class InterceptedFlight
{
    private readonly Flight? _flight;
    private readonly ResultSharing? _sharing;
    private readonly bool _mayKeep;

    /// <summary>The interceptors that work for the flight. Written under the lock of this list.</summary>
    private readonly List<FlightInterceptor> _interceptors = [];

    /// <summary>Guarded by the lock of the list.</summary>
    private bool _hasLanded;

    /// <summary>The predicate's answer, so that it is asked once for a flight. Written by the run that lands the flight.</summary>
    private bool? _isShared;

    internal InterceptedFlight(Flight? flight, ResultSharing? sharing, bool mayKeep)
    {
        _flight = flight;
        _sharing = sharing;
        _mayKeep = mayKeep;
    }

    /// <summary>Gets the flight's number, unique within the process; 0 for a caller that runs alone.</summary>
    public long Id => _flight?.Id ?? 0;

    /// <summary>
    /// Gets a value indicating whether the outcome would be given to a newcomer: the flight has its key, or has landed with it. A flight that was forgotten,
    /// superseded, cancelled, handed over or abandoned has lost it for good. A caller that runs alone without a key counts as having one; one that runs
    /// alone although it has a key does not.
    /// </summary>
    public bool HoldsKey => _flight?.HoldsKey ?? _mayKeep;

    /// <summary>Makes newcomers start afresh; callers already waiting are unaffected. Nothing happens for a caller that runs alone.</summary>
    public void Forget() => _flight?.Forget();

    /// <summary>Asks <see cref="SingleFlightStrategyOptions{TResult}.ShouldShare"/>, once for a flight.</summary>
    /// <typeparam name="TResult">The result type of the flight.</typeparam>
    /// <param name="context">The context that the callback had.</param>
    /// <param name="outcome">The outcome.</param>
    /// <returns><see langword="true"/> if callers of the flight may have the outcome, and if there is no such predicate.</returns>
    public async ValueTask<bool> IsSharedAsync<TResult>(ResilienceContext context, Outcome<TResult> outcome)
    {
        _isShared ??= _sharing is not { } sharing
            || await sharing.MayShareAsync(context, outcome).ConfigureAwait(context.ContinueOnCapturedContext);
        return _isShared.Value;
    }

    /// <summary>Gets the function that copies a result for one receiver.</summary>
    /// <typeparam name="TResult">The result type of the flight.</typeparam>
    /// <returns>
    /// <see langword="null"/> if there is no <see cref="SingleFlightStrategyOptions{TResult}.ResultCloner"/>. The function may be kept, and throws what the
    /// cloner throws.
    /// </returns>
    public Func<ResilienceContext, TResult, ValueTask<TResult>>? GetCopier<TResult>() =>
        _sharing is { MakesCopies: true } sharing ? sharing.MakeCopyAsync : null;

    /// <summary>
    /// Whether it is this execution that a caller has its outcome from. A caller that left its flight has not, nor one that followed another afterwards.
    /// </summary>
    /// <param name="caller">The caller's own context.</param>
    /// <returns><see langword="true"/> if it is; always for a caller that ran alone.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="caller"/> is <see langword="null"/>.</exception>
    public bool IsLastOf(ResilienceContext caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return _flight is null || (caller.Properties.TryGetValue(ContextProperties.Participation, out var participation) && participation?.Flight == _flight);
    }

    /// <summary>
    /// Adds an interceptor from inside the flight, whose callback has not ended yet. Its <see cref="FlightInterceptor.AfterCallbackAsync"/> is called after that of the
    /// others: when a cache further out has stored the result, and before a caller holds it.
    /// </summary>
    /// <param name="interceptor">The interceptor.</param>
    /// <returns><see langword="false"/> if the flight has landed, or has an interceptor with this <see cref="FlightInterceptor.Identity"/>.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="interceptor"/> is <see langword="null"/>.</exception>
    public bool TryAddInside(FlightInterceptor interceptor)
    {
        ArgumentNullException.ThrowIfNull(interceptor);
        return TryAdd(interceptor);
    }

    /// <summary>
    /// Has the strategies outside look for an outcome once more, for a strategy inside that had to wait before it could call on. Does not throw.
    /// </summary>
    /// <typeparam name="TResult">The result type of the flight.</typeparam>
    /// <param name="builder">The builder of the pipeline of the strategy that asks.</param>
    /// <param name="key">The key of the strategy that asks.</param>
    /// <param name="context">The context of the flight.</param>
    /// <returns>An outcome in place of the callback's, which need not be called then, or <see langword="null"/> to call it.</returns>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    public async ValueTask<Outcome<TResult>?> LookAgainAsync<TResult>(ResiliencePipelineBuilderBase builder, object key, ResilienceContext context)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(context);
        return At(0) is { } leaders && leaders.Applies<TResult>(builder, key)
            ? await BeforeCallbackAsync<TResult>(leaders, context).ConfigureAwait(context.ContinueOnCapturedContext)
            : null;
    }

    /// <summary>Whether the predicate was asked, and its answer.</summary>
    internal bool? WasShared => _isShared;

    /// <summary>Adds the interceptor of a caller that runs alone.</summary>
    internal void Add(FlightInterceptor interceptor) => TryAdd(interceptor);

    /// <summary>Adds a follower's interceptor unless one with its identity is there, or the flight has landed. Does not throw.</summary>
    internal void AddFollowers(FlightInterceptor interceptor)
    {
        if (Find(interceptor.Identity) is not null)
        {
            return;
        }

        // Before it is added, so that it hears of the landing only afterwards.
        try
        {
            interceptor.OnJoined(this);
        }
        catch (Exception)
        {
            // As with the rest of its work.
        }

        if (!TryAdd(interceptor))
        {
            NotifyLanded(interceptor);
        }
    }

    /// <summary>Adds the leader's interceptor, in place of one with its identity that a follower has added before.</summary>
    internal void AddLeaders(FlightInterceptor interceptor)
    {
        List<FlightInterceptor> replaced;
        lock (_interceptors)
        {
            replaced = _interceptors.FindAll(other => other.Identity.Equals(interceptor.Identity));
            _interceptors.RemoveAll(replaced.Contains);
            _interceptors.Insert(0, interceptor);
        }

        replaced.ForEach(NotifyLanded);
    }

    /// <summary>The interceptor of this identity that works for the flight.</summary>
    internal FlightInterceptor? Find(object identity)
    {
        lock (_interceptors)
        {
            foreach (var interceptor in _interceptors)
            {
                if (interceptor.Identity.Equals(identity))
                {
                    return interceptor;
                }
            }
        }

        return null;
    }

    /// <summary>Has the leader's interceptor look for an outcome. Does not throw.</summary>
    internal async ValueTask<Outcome<TResult>?> BeforeCallbackAsync<TResult>(FlightInterceptor interceptor, ResilienceContext context)
    {
        try
        {
            return await interceptor.BeforeCallbackAsync<TResult>(this, context).ConfigureAwait(context.ContinueOnCapturedContext);
        }
        catch (Exception)
        {
            // The callback is called then.
            return null;
        }
    }

    /// <summary>Has all interceptors do their work. Does not throw.</summary>
    internal async ValueTask AfterCallbackAsync<TResult>(ResilienceContext context, Outcome<TResult> outcome)
    {
        for (var i = 0; At(i) is { } interceptor; i++)
        {
            try
            {
                await interceptor.AfterCallbackAsync(this, context, outcome).ConfigureAwait(context.ContinueOnCapturedContext);
            }
            catch (Exception)
            {
                // No outcome depends on it.
            }
        }
    }

    /// <summary>Tells all interceptors that newcomers no longer join, once. Does not throw.</summary>
    internal void OnLanded()
    {
        FlightInterceptor[] all;
        lock (_interceptors)
        {
            all = _hasLanded ? [] : [.. _interceptors];
            _hasLanded = true;
        }

        Array.ForEach(all, NotifyLanded);
    }

    private bool TryAdd(FlightInterceptor interceptor)
    {
        lock (_interceptors)
        {
            if (_hasLanded || Find(interceptor.Identity) is not null)
            {
                return false;
            }

            _interceptors.Add(interceptor);
            return true;
        }
    }

    private void NotifyLanded(FlightInterceptor interceptor)
    {
        try
        {
            interceptor.OnLanded(this);
        }
        catch (Exception)
        {
            // As with the rest of its work.
        }
    }

    private FlightInterceptor? At(int index)
    {
        lock (_interceptors)
        {
            return index < _interceptors.Count ? _interceptors[index] : null;
        }
    }
}
