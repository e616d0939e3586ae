using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>
/// The one channel of a node: what the leaders of other nodes, and those who wait for leaders here, have to say.
/// </summary>
/// <remarks>
/// A message may come before its flight is known here, since it comes another way than the answer of the command that the flight is known by. So the last messages that were
/// for nobody are kept for a while.
/// </remarks>
internal sealed class Inbox(IConnectionMultiplexer redis, string channel)
{
    /// <summary>The letter by which listeners learn that no messages will come.</summary>
    public const char Closed = 'C';

    /// <summary>How many messages are kept that were for nobody.</summary>
    private const int Kept = 512;

    /// <summary>How long after a failure no subscription is tried.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private readonly RedisChannel _channel = RedisChannel.Literal(channel);

    /// <summary>Who listens, by the leader's id. Guarded by the gate.</summary>
    private readonly Dictionary<string, List<Action<char>>> _listeners = [];

    /// <summary>The last message of a flight that was for nobody. Guarded by the gate.</summary>
    private readonly Dictionary<string, char> _unclaimed = [];

    /// <summary>The flights of such messages, the oldest first. Guarded by the gate.</summary>
    private readonly Queue<string> _order = new();

    private readonly TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private long _failedAt;
    private bool _isOpen;

    /// <summary>The channel as scripts have to name it: they do not know of the prefix that the connection adds.</summary>
    public string WireName { get; } = PrefixOf(redis) + channel;

    /// <summary>Whether nothing is left to be done before flights. Set by the engine.</summary>
    public bool IsOpen
    {
        get => Volatile.Read(ref _isOpen);
        set => Volatile.Write(ref _isOpen, value);
    }

    /// <summary>Begins to listen. Not to be called by two threads at once. Does not throw.</summary>
    /// <returns>Whether the server has confirmed it; null if it did not answer in time.</returns>
    public async ValueTask<bool?> SubscribeAsync(TimeSpan timeout)
    {
        if (_failedAt != 0 && TimeProvider.System.GetElapsedTime(_failedAt) < s_pause)
        {
            return false;
        }

        Task? subscription = null;
        try
        {
            subscription = redis.GetSubscriber().SubscribeAsync(_channel, OnMessage);
            await subscription.WaitAsync(timeout).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception)
        {
            _failedAt = TimeProvider.System.GetTimestamp();
            _ = subscription?.ContinueWith(
                static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return exception is TimeoutException ? null : false;
        }
    }

    /// <summary>Waits until a message of one letter has come, or the time is over.</summary>
    public async Task HeardAsync(TimeSpan timeout)
    {
        try
        {
            await _heard.Task.WaitAsync(timeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Messages do not come in, or late.
        }
    }

    /// <summary>Has a listener hear the messages of one flight, also the last that has come already.</summary>
    public void Listen(string leader, Action<char> listener)
    {
        char? missed;
        lock (_gate)
        {
            if (!_listeners.TryGetValue(leader, out var all))
            {
                _listeners[leader] = all = [];
            }

            all.Add(listener);
            missed = _unclaimed.TryGetValue(leader, out var last) ? last : null;
        }

        if (missed is { } letter)
        {
            listener(letter);
        }
    }

    public void Ignore(string leader, Action<char> listener)
    {
        lock (_gate)
        {
            if (_listeners.TryGetValue(leader, out var all) && all.Remove(listener) && all.Count == 0)
            {
                _listeners.Remove(leader);
            }
        }
    }

    /// <summary>Ends the subscription, and wakes all who listen. Does not throw.</summary>
    public async Task CloseAsync()
    {
        List<Action<char>> listeners;
        lock (_gate)
        {
            listeners = [.. _listeners.Values.SelectMany(static all => all)];
        }

        listeners.ForEach(static listener => listener(Closed));
        try
        {
            await redis.GetSubscriber().UnsubscribeAsync(_channel, OnMessage, CommandFlags.FireAndForget).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The server ends it with the connection.
        }
    }

    private void OnMessage(RedisChannel from, RedisValue message)
    {
        if ((string?)message is not { Length: > 1 } text)
        {
            _heard.TrySetResult();
            return;
        }

        var (letter, leader) = (text[0], text[1..]);
        Action<char>[] listeners;
        lock (_gate)
        {
            if (!_listeners.TryGetValue(leader, out var all))
            {
                Keep(leader, letter);
                return;
            }

            listeners = [.. all];
        }

        foreach (var listener in listeners)
        {
            listener(letter);
        }
    }

    private void Keep(string leader, char letter)
    {
        if (!_unclaimed.TryAdd(leader, letter))
        {
            _unclaimed[leader] = letter;
            return;
        }

        _order.Enqueue(leader);
        if (_order.Count > Kept)
        {
            _unclaimed.Remove(_order.Dequeue());
        }
    }

    private static string PrefixOf(IConnectionMultiplexer redis)
    {
        try
        {
            return (string?)ConfigurationOptions.Parse(redis.Configuration).ChannelPrefix ?? "";
        }
        catch (Exception)
        {
            return "";
        }
    }
}
