using System.Diagnostics.CodeAnalysis;

namespace Polly.SingleFlight.Caching.Calls;

/// <summary>The calls in the air for one key.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "The semaphore has no handle unless somebody asks for it, and calls that are late still leave it.")]
internal sealed class KeyCalls(KeyLedger ledger, object storageKey)
{
    private readonly SemaphoreSlim _storing = new(1, 1);

    /// <summary>When the call of the last store began. Guarded by the semaphore's monitor.</summary>
    private DateTimeOffset _latest;

    public KeyLedger Ledger { get; } = ledger;

    public object StorageKey { get; } = storageKey;

    /// <summary>Guarded by the gate of the ledger.</summary>
    public HashSet<Permit> Permits_NeedsLock
    {
        get
        {
            Ledger.AssertIsHeld();
            return field;
        }
    } = [];

    /// <summary>Waits until no other result of this key is being stored, but not for one that never ends.</summary>
    public Task<bool> TryEnterStoreAsync(CancellationToken cancellationToken) => _storing.Wait(0, CancellationToken.None)
        ? Task.FromResult(true)
        : TryEnterAsync(cancellationToken);

    /// <summary>Notes a store; false when one has begun whose call is later than this one.</summary>
    public bool TryBegin(DateTimeOffset startedAt)
    {
        lock (_storing)
        {
            if (startedAt < _latest)
            {
                return false;
            }

            _latest = startedAt;
            return true;
        }
    }

    /// <summary>Whether a store has begun whose call is later than this one.</summary>
    public bool HasBegunLater(DateTimeOffset startedAt)
    {
        lock (_storing)
        {
            return startedAt < _latest;
        }
    }

    public void LeaveStore() => _storing.Release();

    private async Task<bool> TryEnterAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _storing.WaitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
