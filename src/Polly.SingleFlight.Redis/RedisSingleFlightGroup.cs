using System.Collections.Concurrent;
using System.Security.Cryptography;
using Polly.SingleFlight.Redis.Engine;
using Polly.SingleFlight.Redis.Payload;
using StackExchange.Redis;

namespace Polly.SingleFlight.Redis;

/// <summary>
/// The namespace of keys that the nodes of a service share in Redis. One per service and connection, a singleton, for all its pipelines.
/// </summary>
/// <remarks>Nothing is sent before the first execution. Disposing the group does not dispose the connection.</remarks>
public sealed class RedisSingleFlightGroup : IAsyncDisposable, IDisposable
{
    /// <summary>How long Redis may take to confirm what no options say.</summary>
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(1);

    /// <summary>The flights that this node leads.</summary>
    private readonly ConcurrentDictionary<string, LedFlight> _led = new();

    private volatile bool _isDisposed;

    /// <summary>Initializes a new instance of the <see cref="RedisSingleFlightGroup"/> class.</summary>
    /// <param name="redis">The connection. It remains the caller's.</param>
    /// <param name="scope">The name that the nodes have in common and others do not, such as that of the service. It does not appear in Redis.</param>
    /// <param name="secret">
    /// A secret of at least 16 bytes that the nodes have in common: results are encrypted with it, and keys cannot be guessed without it. By default there is none.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="redis"/> or <paramref name="scope"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="scope"/> is empty, or <paramref name="secret"/> has less than 16 bytes.</exception>
    /// <exception cref="PlatformNotSupportedException">There is a secret, and the platform has no AES-GCM.</exception>
    public RedisSingleFlightGroup(IConnectionMultiplexer redis, string scope, ReadOnlySpan<byte> secret = default)
    {
        ArgumentNullException.ThrowIfNull(redis);
        Check(scope, secret);
        if (!secret.IsEmpty && !AesGcm.IsSupported)
        {
            throw new PlatformNotSupportedException("Outcomes are encrypted with AES-GCM, which this platform does not have. Leave the secret out.");
        }

        Scope = scope;
        Identity = new ScopeIdentity(scope, secret);
        Engine = new RedisEngine(redis, Identity.ChannelOf(FlightName.NewLeader()));
    }

    /// <summary>Gets the name that the nodes have in common.</summary>
    public string Scope { get; }

    internal ScopeIdentity Identity { get; }

    internal RedisEngine Engine { get; }

    /// <summary>Whether executions may use the group.</summary>
    internal bool IsOpen => !_isDisposed;

    /// <summary>The flights that this node leads, for tests.</summary>
    internal ICollection<LedFlight> Led => _led.Values;

    /// <summary>
    /// Makes newcomers of all nodes start afresh, whatever the result types and versions of their pipelines; callers already waiting get what they wait for.
    /// </summary>
    /// <param name="key">The key, as executions have it.</param>
    /// <returns><see langword="false"/> if Redis did not confirm it; then nodes may still join what was in the air.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is <see langword="null"/>.</exception>
    /// <exception cref="InvalidOperationException">The key is not of a kind that executions can have.</exception>
    public async ValueTask<bool> ForgetAsync(object key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var index = Identity.IndexOf(key);
        return IsOpen && await Engine.ForgetAsync(index, s_timeout).ConfigureAwait(false);
    }

    /// <summary>
    /// Gives up what this node leads, so that others take over at once. Executions that use the group go on, and later ones run, on this node alone.
    /// </summary>
    /// <returns>A task that ends when Redis has confirmed it, or after a second.</returns>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        try
        {
            await Task.WhenAll(_led.Values.Select(static led => led.GiveUpAsync())).WaitAsync(s_timeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The leases end by themselves.
        }

        Engine.Stop();
        await Engine.Inbox.CloseAsync().ConfigureAwait(false);
    }

    /// <summary>The same as <see cref="DisposeAsync"/>, but does not wait.</summary>
    void IDisposable.Dispose() => _ = DisposeAsync().AsTask();

    /// <summary>Refuses what no group can have.</summary>
    internal static void Check(string scope, ReadOnlySpan<byte> secret)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(scope);
        if (secret.Length is > 0 and < 16)
        {
            throw new ArgumentException("A secret has at least 16 bytes. Leave it out to have none.", nameof(secret));
        }
    }

    /// <summary>Notes that this node leads a flight.</summary>
    internal LedFlight Lead(FlightName name, AcquireReply reply, TimeSpan lease, TimeSpan timeout)
    {
        var led = new LedFlight(Engine, name, reply, lease, timeout, ended => _led.TryRemove(new(ended.Id, ended)));
        _led[led.Id] = led;
        led.Open();
        if (_isDisposed)
        {
            _ = led.GiveUpAsync();
        }

        return led;
    }
}
