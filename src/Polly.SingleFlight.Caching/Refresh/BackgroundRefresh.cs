using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Polly.SingleFlight.Caching.Calls;
using Polly.SingleFlight.Caching.Telemetry;

namespace Polly.SingleFlight.Caching.Refresh;

/// <summary>
/// A refresh in the background. It runs on the thread pool, under the execution context of the caller that set it off, on a context of its own, and within a
/// limit of time.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "The refresh disposes it at its end.")]
internal sealed class BackgroundRefresh<TResult, TActual, TState> : IThreadPoolWorkItem
{
    private readonly CacheParts<TResult> _parts;
    private readonly object _key;
    private readonly object _storageKey;
    private readonly CacheEntry<TActual> _entry;
    private readonly Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> _callback;
    private readonly TState _state;
    private readonly ResilienceContext _context;
    private readonly ExecutionContext? _executionContext;
    private readonly ActivityContext _caller;
    private readonly CancellationTokenSource _limit;

    private BackgroundRefresh(
        CacheParts<TResult> parts,
        object key,
        object storageKey,
        CacheEntry<TActual> entry,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext caller,
        TState state)
    {
        _parts = parts;
        _key = key;
        _storageKey = storageKey;
        _entry = entry;
        _callback = callback;
        _state = state;
        _limit = new CancellationTokenSource(parts.RefreshTimeout, parts.Clock);
        _context = RefreshContext.Rent(caller, _limit.Token);
        _executionContext = ExecutionContext.Capture();
        _caller = Activity.Current?.Context ?? default;
    }

    /// <summary>Begins a refresh of an entry that is due, unless the schedule is against it.</summary>
    public static void Begin(
        CacheParts<TResult> parts,
        object key,
        CacheEntry<TActual> entry,
        Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> callback,
        ResilienceContext caller,
        TState state)
    {
        var storageKey = parts.Store.StorageKey<TActual>(key);
        var ticket = new object();
        if (!parts.Refreshes.TryBegin(storageKey, ticket))
        {
            return;
        }

        var refresh = new BackgroundRefresh<TResult, TActual, TState>(parts, key, storageKey, entry, callback, caller, state) { Ticket = ticket };
        ThreadPool.UnsafeQueueUserWorkItem(refresh, preferLocal: false);
    }

    private object Ticket { get; init; } = new();

    public void Execute()
    {
        if (_executionContext is null)
        {
            _ = RunAsync();
        }
        else
        {
            ExecutionContext.Run(_executionContext, static refresh => _ = ((BackgroundRefresh<TResult, TActual, TState>)refresh!).RunAsync(), this);
        }
    }

    private async Task RunAsync()
    {
        // One that ignores its token is given up, so that the key can be refreshed again.
        var givenUp = _limit.Token.UnsafeRegister(
            static refresh => ((BackgroundRefresh<TResult, TActual, TState>)refresh!).End(succeeded: false), this);
        Activity.Current = null;
        using var activity = _parts.Telemetry.StartRefresh(_caller);
        var call = new CacheCall<TResult, TActual>(_parts, _key, _storageKey, _entry, newerThan: _entry.StartedAt, outer: null);
        try
        {
            if (await call.FindNewerAsync(_context).ConfigureAwait(false) is not null)
            {
                // The entry was refreshed between the hit and now, here or by another node.
                End(succeeded: true);
                return;
            }

            // A context that no pipeline has begun with has to be made ready, which the empty pipeline does.
            var outcome = await CallRunner.Run(
                _parts,
                call,
                outer: null,
                static (context, refresh) => ResiliencePipeline.Empty.ExecuteOutcomeAsync(refresh._callback, context, refresh._state),
                _context,
                this).Settle().ConfigureAwait(false);

            // A result that is not kept would be asked for again by the next hit, so that too has to wait for a moment.
            End(outcome.Exception is null && (call.IsFollower || call.HasEntry));
            CacheInstruments.EndRefresh(activity, outcome.Exception);
            await _parts.Telemetry.Refreshed(_context, Results.Up<TResult, TActual>(outcome)).ConfigureAwait(false);
        }
        finally
        {
            await givenUp.DisposeAsync().ConfigureAwait(false);
            _limit.Dispose();
            ResilienceContextPool.Shared.Return(_context);
        }
    }

    private void End(bool succeeded) => _parts.Refreshes.End(_storageKey, Ticket, succeeded);
}
