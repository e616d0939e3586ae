namespace Polly.SingleFlight.Caching;

/// <summary>A strategy, as its <see cref="CacheManualControl"/> sees it.</summary>
internal interface IEvictor
{
    /// <summary>Evicts the entries of a key; only those that were seen, if <paramref name="seen"/> is given.</summary>
    ValueTask<bool> EvictAsync(object key, CacheResult? seen, CancellationToken cancellationToken);

    /// <summary>Evicts all entries.</summary>
    ValueTask EvictAllAsync(CancellationToken cancellationToken);
}
