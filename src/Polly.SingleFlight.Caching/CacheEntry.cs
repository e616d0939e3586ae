using System.Text.Json.Serialization;

namespace Polly.SingleFlight.Caching;

/// <summary>
/// A cached result with its times. Public because a cache may have to serialize it, such as FusionCache with its serializer: give a serializer that is
/// compiled ahead of time this type. Microsoft's <c>HybridCache</c> needs <c>AddSingleFlightCacheSerializers</c> instead.
/// </summary>
/// <typeparam name="TResult">The type of the result.</typeparam>
public sealed class CacheEntry<TResult> : ICacheSource
{
    /// <summary>Gets or sets the result.</summary>
    public TResult? Value { get; set; }

    /// <summary>Gets or sets a number by which the entry is recognized.</summary>
    public long Id { get; set; }

    /// <summary>Gets or sets when the call for the result began. Of two entries the one that began later counts.</summary>
    public DateTimeOffset StartedAt { get; set; }

    /// <summary>Gets or sets when the call for the result had ended.</summary>
    public DateTimeOffset StoredAt { get; set; }

    /// <summary>Gets or sets when the lifetime of the result is over.</summary>
    public DateTimeOffset ExpiresAt { get; set; }

    /// <summary>Gets or sets from when on a hit has the result refreshed; <see langword="null"/> for never.</summary>
    public DateTimeOffset? RefreshAt { get; set; }

    /// <summary>Gets or sets a value indicating whether there is no result, but a mark that all results of earlier calls are evicted.</summary>
    public bool IsEvicted { get; set; }

    /// <summary>
    /// Gets or sets a value indicating whether each receiver gets a copy of the result, made by the <c>ResultCloner</c> of single flight: a cache may hand out the same object
    /// again and again.
    /// </summary>
    public bool NeedsCopies { get; set; }

    /// <summary>Makes the copy for one receiver; null if the result itself may be handed out. Set before the entry is stored in this process.</summary>
    [JsonIgnore]
    internal Func<ResilienceContext, TResult, ValueTask<TResult>>? Copier { get; set; }

    DateTimeOffset IResultOrigin.EndedAt => StoredAt;

    DateTimeOffset? IResultOrigin.ExpiresAt => ExpiresAt;

    /// <summary>Whether a receiver can be given what it is to be given. Another node may have stored the entry, and this one not know the cloner yet.</summary>
    internal bool CanBeHandedOut => !NeedsCopies || Copier is not null;

    /// <summary>Whether a call that began then is older than what the entry says.</summary>
    internal bool Outdates(DateTimeOffset startedAt) => IsEvicted ? StartedAt >= startedAt : StartedAt > startedAt;

    CacheResult? ICacheSource.ToResult(ResilienceContext context) => ToResult(isStale: false);

    internal CacheResult ToResult(bool isStale) => new(isHit: true, isStale, Id, StartedAt, StoredAt, ExpiresAt, RefreshAt);
}
