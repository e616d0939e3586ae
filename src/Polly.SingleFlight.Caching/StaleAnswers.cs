namespace Polly.SingleFlight.Caching;

/// <summary>Which failures are answered with a result whose lifetime is over, and for which keys that is done for a while without a call.</summary>
internal sealed class StaleAnswers<TResult>(CacheParts<TResult> parts, CacheStrategyOptions<TResult> options)
{
    private readonly Func<ShouldHandlePredicateArguments<TResult>, ValueTask<bool>> _shouldHandle = options.ShouldHandle;
    private readonly TimeSpan _staleOnError = options.StaleOnError;
    private readonly Moments _failures = new(parts.Clock, options.StaleRetryDelay);

    public bool AreOn => _staleOnError > TimeSpan.Zero;

    /// <summary>Whether the last call for a key has failed so lately that there is to be no other yet.</summary>
    public bool IsRetryDelayed<TActual>(object storageKey, CacheEntry<TActual>? entry, DateTimeOffset now) =>
        AreOn && IsUsable(entry, now) && _failures.Contains(storageKey);

    /// <summary>The old result in place of a failure, or null. Does not throw.</summary>
    public async ValueTask<CacheEntry<TActual>?> FindAsync<TActual>(
        object storageKey, CacheEntry<TActual>? old, Outcome<TActual> outcome, ResilienceContext context)
    {
        if (!AreOn || context.CancellationToken.IsCancellationRequested || !await HandlesAsync(outcome, context).ConfigureAwait(context.ContinueOnCapturedContext))
        {
            return null;
        }

        // Another call may have stored a newer one meanwhile.
        var found = await parts.Finder.FindAsync<TActual>(storageKey, pastLocal: old is not null, context).ConfigureAwait(context.ContinueOnCapturedContext);
        var entry = found.Entry ?? (found.HasFailed ? old : null);
        if (!IsUsable(entry, parts.Now))
        {
            return null;
        }

        _failures.Add(storageKey);
        return entry;
    }

    private bool IsUsable<TActual>(CacheEntry<TActual>? entry, DateTimeOffset now) => entry is { IsEvicted: false, CanBeHandedOut: true } && now - entry.ExpiresAt < _staleOnError;

    private async ValueTask<bool> HandlesAsync<TActual>(Outcome<TActual> outcome, ResilienceContext context)
    {
        try
        {
            return await _shouldHandle(new ShouldHandlePredicateArguments<TResult>(context, Results.Up<TResult, TActual>(outcome)))
                .ConfigureAwait(context.ContinueOnCapturedContext);
        }
        catch (Exception exception)
        {
            parts.Telemetry.Failed(context, "ShouldHandle", exception);
            return false;
        }
    }
}
