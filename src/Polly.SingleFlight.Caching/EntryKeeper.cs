using Polly.SingleFlight.Caching.Calls;
using Polly.SingleFlight.Caching.Storage;

namespace Polly.SingleFlight.Caching;

/// <summary>
/// Decides whether and for how long a result is kept, and has it stored.
/// </summary>
/// <remarks>
/// 1. The flight would give its outcome to a newcomer (<see cref="InterceptedFlight.HoldsKey"/>, <c>ShouldShare</c>). 2. <c>ShouldCache</c> agrees. 3. A lifetime is left,
/// counted from the end of the call that made the result. 4. Stores of one key take turns; one whose call began before that of the stored entry stores nothing. 5. What was stored
/// by a call that lost the right to meanwhile is removed. 6. A store has succeeded when the entry, or a newer one, is seen.
/// </remarks>
internal sealed class EntryKeeper<TResult>(CacheParts<TResult> parts, CacheStrategyOptions<TResult> options)
{
    /// <summary>Longer than any service runs, and short enough for the clocks of caches to add.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(3650);

    /// <summary>The part of the time until a refresh by which it may come earlier, so that entries that were stored together are not refreshed together.</summary>
    private const double Jitter = 0.1;

    private readonly CacheLifetime _lifetime = new(options.Lifetime);
    private readonly Func<CacheLifetimeGeneratorArguments<TResult>, ValueTask<CacheLifetime>>? _lifetimeGenerator = options.LifetimeGenerator;
    private readonly Func<ShouldCachePredicateArguments<TResult>, ValueTask<bool>>? _shouldCache = options.ShouldCache;
    private readonly Func<CacheTagsGeneratorArguments<TResult>, IEnumerable<string>?>? _tags = options.Tags;
    private readonly Func<TResult, long>? _size = options.Size;
    private readonly string? _scopeTag = options.ManualControl is null ? null : (parts.Store as HybridStore)?.ScopeTag;

    /// <summary>Keeps a result if the options say so. Does not throw.</summary>
    /// <returns>The entry, if it is in the cache now or will be.</returns>
    public async ValueTask<CacheEntry<TActual>?> KeepAsync<TActual>(
        CacheCall<TResult, TActual> call, Permit permit, InterceptedFlight? flight, ResilienceContext context, TActual result)
    {
        var source = "ShouldShare";
        try
        {
            // Both now and in this order, so that nothing that takes time from here on makes the lifetime longer.
            var origin = OriginOf(call, context);
            var now = origin?.EndedAt ?? parts.Now;
            var elapsed = origin is null ? parts.Clock.GetElapsedTime(call.Start) : origin.EndedAt - origin.StartedAt;
            var outcome = Outcome.FromResult(result);
            if (!permit.IsValid
                || (flight is not null && !await flight.IsSharedAsync(context, outcome).ConfigureAwait(context.ContinueOnCapturedContext)))
            {
                return null;
            }

            source = "ShouldCache";
            var upper = Results.Up<TResult, TActual>(result);
            if (_shouldCache is not null
                && !await _shouldCache(new ShouldCachePredicateArguments<TResult>(context, Outcome.FromResult(upper))).ConfigureAwait(context.ContinueOnCapturedContext))
            {
                return null;
            }

            source = "LifetimeGenerator";
            var lifetime = _lifetimeGenerator is null
                ? _lifetime
                : await _lifetimeGenerator(new CacheLifetimeGeneratorArguments<TResult>(context, upper, elapsed)).ConfigureAwait(context.ContinueOnCapturedContext);
            var entry = new CacheEntry<TActual>
            {
                Id = Random.Shared.NextInt64(1, long.MaxValue),
                StartedAt = origin?.StartedAt ?? call.StartedAt,
                StoredAt = now,
                ExpiresAt = Earlier(Later(now, lifetime.Lifetime), origin?.ExpiresAt),
                RefreshAt = lifetime.RefreshAfter is { } after ? Later(now, after * (1 - (Jitter * Random.Shared.NextDouble()))) : null,
            };
            var remaining = entry.ExpiresAt - parts.Now;
            if (lifetime.Lifetime <= TimeSpan.Zero || remaining <= TimeSpan.Zero)
            {
                return null;
            }

            source = "Tags";
            var tags = _tags?.Invoke(new CacheTagsGeneratorArguments<TResult>(context, call.Key, upper))?.ToList();
            if (_scopeTag is not null)
            {
                (tags ??= []).Add(_scopeTag);
            }

            source = "Size";
            var placement = new Placement(Sum(remaining, parts.StaleOnError), _size?.Invoke(upper) ?? 1, tags);
            source = "ResultCloner";
            entry.Copier = flight?.GetCopier<TActual>();
            if (entry.Copier is null)
            {
                entry.Value = result;
            }
            else
            {
                parts.SetCopier(entry.Copier);
                entry.NeedsCopies = true;
                entry.Value = await entry.Copier(context, result).ConfigureAwait(context.ContinueOnCapturedContext);
            }

            source = "Store";
            return await StoreAsync(call, permit, entry, placement, context).ConfigureAwait(context.ContinueOnCapturedContext) ? entry : null;
        }
        catch (Exception exception)
        {
            if (exception is not OperationCanceledException || !context.CancellationToken.IsCancellationRequested)
            {
                parts.Telemetry.Failed(context, source, exception);
            }

            return null;
        }
    }

    /// <summary>How to keep an entry for the rest of its time that was in the cache before.</summary>
    public Placement PlacementAgain<TActual>(CacheEntry<TActual> entry)
    {
        var rest = Sum(entry.ExpiresAt - parts.Now, parts.StaleOnError);
        return new Placement(rest > TimeSpan.Zero ? rest : TimeSpan.FromTicks(1), _size?.Invoke(Results.Up<TResult, TActual>(entry.Value!)) ?? 1, _scopeTag is null ? null : [_scopeTag]);
    }

    /// <summary>How old the result is, if a strategy inside says so.</summary>
    private static IResultOrigin? OriginOf<TActual>(CacheCall<TResult, TActual> call, ResilienceContext context) =>
        context.GetResultOrigin() switch
        {
            CacheCall { HasEntry: false } => null,
            var origin when origin == call => null,
            var origin => origin,
        };

    private static DateTimeOffset Later(DateTimeOffset now, TimeSpan span) =>
        span <= TimeSpan.Zero ? now
        : span < DateTimeOffset.MaxValue - now ? now + span
        : DateTimeOffset.MaxValue;

    private static DateTimeOffset Earlier(DateTimeOffset left, DateTimeOffset? right) => right < left ? right.Value : left;

    private static TimeSpan Sum(TimeSpan left, TimeSpan right) => right < s_longest && left < s_longest - right ? left + right : s_longest;

    /// <summary>Stores the entry. The caller is held no longer than the limit; a store that is late goes on.</summary>
    private async ValueTask<bool> StoreAsync<TActual>(
        CacheCall<TResult, TActual> call, Permit permit, CacheEntry<TActual> entry, Placement placement, ResilienceContext context)
    {
        permit.EntryId = entry.Id;
        permit.Share();
        var store = new EntryStore<TResult, TActual>(parts, permit, call, entry, placement);
        var storing = store.RunAsync();
        if (storing.IsCompleted)
        {
            return await storing.ConfigureAwait(false);
        }

        if (call.LookHasFailed)
        {
            // What the memory of the process has is enough for now.
            _ = Limited.Observed(storing);
            return parts.Finder.FindLocal<TActual>(call.Key, context)?.Id == entry.Id;
        }

        try
        {
            return await Limited.Observed(storing).WaitAsync(parts.StoreTimeout, parts.Clock, CancellationToken.None).ConfigureAwait(context.ContinueOnCapturedContext);
        }
        catch (TimeoutException late) when (!storing.IsCompleted)
        {
            parts.Telemetry.Failed(context, "Store", late);
            _ = storing.ContinueWith(
                static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

            // What is late may be behind the memory of the process, which has it then.
            return parts.Store.FindLocal<TActual>(call.Key)?.Id == entry.Id;
        }
    }
}
