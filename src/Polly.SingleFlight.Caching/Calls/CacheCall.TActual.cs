namespace Polly.SingleFlight.Caching.Calls;

/// <summary>
/// One execution that the cache could not answer. It works inside the flight that the execution leads, or inside the lone execution; or at the end, where nothing is
/// coalesced.
/// </summary>
/// <remarks>Nothing here refers to the callback or to a caller's context, because a flight keeps it for the callers that ask what became of their result.</remarks>
internal sealed class CacheCall<TResult, TActual> : CacheCall
{
    private readonly CacheParts<TResult> _parts;
    private readonly CacheEntry<TActual>? _old;
    private readonly DateTimeOffset? _newerThan;
    private readonly FlightInterceptor? _outer;

    /// <summary>What the ledger said at the start, for a call that is in the ledger only at its end.</summary>
    private readonly long _evictions;

    /// <summary>The executions that the work is done inside; more than one when something in between tries again. Guarded by a lock on the list.</summary>
    private readonly List<Inside> _inside = [];

    /// <param name="parts">What the strategy works with.</param>
    /// <param name="key">The key.</param>
    /// <param name="storageKey">What an entry is stored under.</param>
    /// <param name="old">What the first look found, which was not good enough.</param>
    /// <param name="newerThan">What the second look finds has to come from a call that began later than this; null for any.</param>
    /// <param name="outer">The call of a cache further out.</param>
    public CacheCall(CacheParts<TResult> parts, object key, object storageKey, CacheEntry<TActual>? old, DateTimeOffset? newerThan, FlightInterceptor? outer)
        : base(parts.Store.Identity)
    {
        _parts = parts;
        Key = key;
        StorageKey = storageKey;
        _old = old;
        _newerThan = newerThan;
        _outer = outer;
        _evictions = parts.Ledger.EvictionsOf(storageKey);
        Start = parts.Clock.GetTimestamp();

        // Later than what was seen, also on a clock that has not moved, or is behind that of another machine.
        var seen = old?.StartedAt ?? DateTimeOffset.MinValue;
        var now = parts.Now;
        StartedAt = parts.Evictions is { } evictions ? evictions.Start(storageKey, seen)
            : now <= seen ? seen.AddTicks(1)
            : now;
    }

    public object Key { get; }

    public object StorageKey { get; }

    /// <summary>The entry that the call is to replace, for the callback.</summary>
    public CacheEntry<TActual>? Replaced => _old is { IsEvicted: false } ? _old : null;

    /// <summary>The time of the start, which is never set again: one call can start a flight while an earlier one of its own goes on, and the first start is the safe one.</summary>
    public long Start { get; }

    /// <summary>Whether what is behind the memory of the process has thrown, or not answered in time, when it was looked at. The call does not wait for it again.</summary>
    public bool LookHasFailed { get; set; }

    /// <summary>Whether the caller has joined a flight.</summary>
    public bool IsFollower { get; private set; }

    public override bool IsFor<T>(ResiliencePipelineBuilderBase builder, object? key) =>
        typeof(T) == typeof(TActual) && (builder == _parts.Builder || (key is not null && key.Equals(Key)));

    public override void OnFollowing()
    {
        IsFollower = true;
        IsRunning = false;
        _outer?.OnFollowing();
    }

    /// <summary>The leader has another cache, or none: from now on an eviction has newcomers start afresh.</summary>
    public override void OnJoined(InterceptedFlight flight)
    {
        Enter(flight, _evictions);
        _outer?.OnJoined(flight);
    }

    /// <summary>
    /// The second look: a caller that missed a result which was about to be stored finds it here (see docs/caching.md). It does not trust the memory of the process if
    /// the first look did not like what was there, since another node may have a newer one.
    /// </summary>
    public override async ValueTask<Outcome<T>?> BeforeCallbackAsync<T>(InterceptedFlight flight, ResilienceContext context)
    {
        var inside = Enter(flight, evictions: null);
        if (!_parts.KeepsOutside && await FindNewerAsync(context, flight).ConfigureAwait(context.ContinueOnCapturedContext) is { } found)
        {
            inside.SetResult(found.Result);
            inside.IsFound = true;
            return (Outcome<T>)(object)found;
        }

        context.Properties.Set(CacheResilienceContextExtensions.Replaced, Replaced);

        return _outer is not null && _outer.IsFor<T>(_parts.Builder, Key)
            ? await _outer.BeforeCallbackAsync<T>(flight, context).ConfigureAwait(context.ContinueOnCapturedContext)
            : null;
    }

    public override async ValueTask AfterCallbackAsync<T>(InterceptedFlight flight, ResilienceContext context, Outcome<T> outcome)
    {
        // The first that this call hears of an execution that runs alone, or whose leader has another cache: it may have begun before an eviction.
        var inside = Enter(flight, _evictions);
        HasFlightFailed = outcome.Exception is not null;
        if (outcome.Exception is null && !inside.IsFound)
        {
            var result = (TActual?)(object?)outcome.Result;
            inside.SetResult(result);
            if (!_parts.KeepsOutside)
            {
                await KeepAsync(inside.Permit, flight, context, result).ConfigureAwait(context.ContinueOnCapturedContext);
            }
        }

        // Takes it off before the properties are copied back: an elected caller has no step that would.
        context.Properties.Set(CacheResilienceContextExtensions.Replaced, null);

        if (_outer is not null && _outer.IsFor<T>(_parts.Builder, Key))
        {
            await _outer.AfterCallbackAsync(flight, context, outcome).ConfigureAwait(context.ContinueOnCapturedContext);
        }
    }

    /// <summary>The permit is kept until here: an eviction between the store and the landing is to have newcomers start afresh.</summary>
    public override void OnLanded(InterceptedFlight flight)
    {
        Inside? landed;
        lock (_inside)
        {
            landed = _inside.Find(inside => inside.Flight == flight);
        }

        landed?.End();
        _outer?.OnLanded(flight);
    }

    /// <summary>A newer entry than the caller saw.</summary>
    public async ValueTask<Outcome<TActual>?> FindNewerAsync(ResilienceContext context, InterceptedFlight? flight = null)
    {
        var (entry, hasFailed) = LookHasFailed
            ? new(_parts.Finder.FindLocal<TActual>(Key, context), HasFailed: true)
            : await _parts.Finder.FindAsync<TActual>(StorageKey, pastLocal: _old is not null, context).ConfigureAwait(context.ContinueOnCapturedContext);
        LookHasFailed = hasFailed;
        if (entry is null || !EntryFinder<TResult>.IsFresh(entry, _parts.Now) || entry.StartedAt <= _newerThan)
        {
            return null;
        }

        if (!entry.CanBeHandedOut && flight?.GetCopier<TActual>() is { } copier)
        {
            _parts.SetCopier(copier);
            entry.Copier = copier;
        }

        if (!entry.CanBeHandedOut && flight is not null)
        {
            return null;
        }

        Result = entry.ToResult(isStale: false);
        return Outcome.FromResult((entry.Copier is null ? entry.Value : await entry.Copier(context, entry.Value!).ConfigureAwait(context.ContinueOnCapturedContext))!);
    }

    /// <summary>
    /// Ends the call. Its result is kept here if nothing is coalesced inside, or if something between here and single flight changes results.
    /// </summary>
    public async ValueTask EndAsync(Outcome<TActual> outcome, ResilienceContext context, Permit permit)
    {
        using (permit)
        {
            IsRunning = false;
            SetOutcome(hasFailed: outcome.Exception is not null);
            Inside? last;
            lock (_inside)
            {
                last = _inside.LastOrDefault();
                if (last?.Flight.IsLastOf(context) == false)
                {
                    // What the caller got is not the result of that flight, which may end without it, whatever is made of it in between.
                    return;
                }

                if (outcome.Exception is null
                    && _inside.Exists(static inside => inside.HasResult)
                    && !_inside.Exists(inside => inside.HasReturned(outcome.Result)))
                {
                    _parts.KeepsOutside = true;
                }

                // An execution context may hold the flight, and that this call, for as long as it lives.
                _inside.ForEach(static inside => inside.ForgetResult());
            }

            if (outcome.Exception is not null || (last is null ? IsFollower : !_parts.KeepsOutside || !last.HasResult || last.IsFound))
            {
                return;
            }

            if (last is not null)
            {
                permit.SetFlight(last.Flight);
            }

            await KeepAsync(permit, last?.Flight, context, outcome.Result).ConfigureAwait(context.ContinueOnCapturedContext);
        }
    }

    private async ValueTask KeepAsync(Permit permit, InterceptedFlight? flight, ResilienceContext context, TActual? result)
    {
        var entry = await _parts.Keeper.KeepAsync(this, permit, flight, context, result!).ConfigureAwait(context.ContinueOnCapturedContext);
        Result = entry is null ? null : new CacheResult(
            isHit: false, isStale: false, entry.Id, entry.StartedAt, entry.StoredAt, entry.ExpiresAt, entry.RefreshAt);
    }

    private Inside Enter(InterceptedFlight flight, long? evictions)
    {
        lock (_inside)
        {
            if (_inside.Find(inside => inside.Flight == flight) is not { } inside)
            {
                inside = new Inside(flight, _parts.Ledger.Begin(StorageKey, evictions));
                inside.Permit.SetFlight(flight);
                _inside.Add(inside);
            }

            return inside;
        }
    }

    /// <summary>One execution that the work is done inside.</summary>
    private sealed class Inside(InterceptedFlight flight, Permit permit)
    {
        private TActual? _result;
        private int _isEnded;

        public InterceptedFlight Flight { get; } = flight;

        public Permit Permit { get; } = permit;

        public bool HasResult { get; private set; }

        /// <summary>Whether the result came from the cache.</summary>
        public bool IsFound { get; set; }

        public void SetResult(TActual? result) => (_result, HasResult) = (result, true);

        /// <summary>Gives the permit back, once.</summary>
        public void End()
        {
            if (Interlocked.Exchange(ref _isEnded, 1) == 0)
            {
                Permit.Dispose();
            }
        }

        /// <summary>Drops the result, which is not compared any more.</summary>
        public void ForgetResult() => _result = default;

        public bool HasReturned(TActual? result) => HasResult && Results.AreSame(_result, result);
    }
}
