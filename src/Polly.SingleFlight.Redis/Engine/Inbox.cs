using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>
/// The one channel of a node: what the leaders of other nodes, and those who wait for leaders here, have to say.
/// </summary>
internal sealed class Inbox(IConnectionMultiplexer redis, string channel)
{
    /// <summary>The letter by which listeners learn that no messages will come.</summary>
    public const char Closed = 'C';

    /// <summary>How long after a failure no subscription is tried.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly RedisChannel _channel = RedisChannel.Literal(channel);

    private readonly TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Of the last attempt. Used while the inbox is opened, by one thread at a time.</summary>
    private Task? _subscription;

    private long _failedAt;
    private bool _isOpen;

    public Listeners Listeners { get; } = new();

    public Looks Looks { get; } = new();

    /// <summary>The channel as scripts have to name it: they do not know of the prefix that the connection adds.</summary>
    public string WireName { get; } = PrefixOf(redis) + channel;

    /// <summary>Whether nothing is left to be done before flights. Set by the engine.</summary>
    public bool IsOpen
    {
        get => Volatile.Read(ref _isOpen);
        set => Volatile.Write(ref _isOpen, value);
    }

    /// <summary>Begins to listen, once. Not to be called by two threads at a time. Does not throw.</summary>
    /// <returns>Whether the server has confirmed it; null if it did not answer in time.</returns>
    public async ValueTask<bool?> SubscribeAsync(TimeSpan timeout)
    {
        if (_subscription is null or { IsFaulted: true } or { IsCanceled: true })
        {
            if (_failedAt != 0 && TimeProvider.System.GetElapsedTime(_failedAt) < s_pause)
            {
                return false;
            }

            _subscription = Subscribe();
        }
        else if (_failedAt != 0 && !_subscription.IsCompleted)
        {
            // It was late, and is not waited for again. Nor is it begun again: every subscription would have the message handled once more.
            return false;
        }

        try
        {
            await _subscription.WaitAsync(timeout).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception)
        {
            _failedAt = TimeProvider.System.GetTimestamp();
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

    /// <summary>Ends the subscription, and wakes all who listen. Does not throw.</summary>
    public async Task CloseAsync()
    {
        Listeners.TellAll(new Message(Closed));
        try
        {
            await redis.GetSubscriber().UnsubscribeAsync(_channel, OnMessage, CommandFlags.FireAndForget).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The server ends it with the connection.
        }
    }

    private Task Subscribe()
    {
        try
        {
            var subscription = redis.GetSubscriber().SubscribeAsync(_channel, OnMessage);
            Detached.Observe(subscription);
            return subscription;
        }
        catch (Exception exception)
        {
            return Task.FromException(exception);
        }
    }

    private void OnMessage(RedisChannel from, RedisValue message)
    {
        if ((string?)message is not { Length: > 1 } text)
        {
            _heard.TrySetResult();
            return;
        }

        var told = Message.Read(text, out var leader);
        Listeners.Tell(leader, told);
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
