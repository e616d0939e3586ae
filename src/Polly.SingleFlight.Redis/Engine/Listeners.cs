using System.Diagnostics;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>Who listens to the messages of which flight.</summary>
/// <remarks>
/// A message may come before its flight is known here, since it comes another way than the answer of the command that the flight is known by. So the last messages that were
/// for nobody are kept for a while.
/// </remarks>
internal sealed class Listeners
{
    /// <summary>How many messages are kept that were for nobody.</summary>
    private const int Kept = 512;

    private readonly object _gate = new();

    /// <summary>Who listens, by the leader's id. Guarded by the gate.</summary>
    private readonly Dictionary<string, List<Action<Message>>> _listeners = [];

    /// <summary>The last message of a flight that was for nobody. Guarded by the gate.</summary>
    private readonly Dictionary<string, Message> _unclaimed = [];

    /// <summary>The flights of such messages, the oldest first. Guarded by the gate.</summary>
    private readonly Queue<string> _order = new();

    /// <summary>Has a listener hear the messages of one flight, also the last that has come already.</summary>
    public void Add(string leader, Action<Message> listener)
    {
        Message? missed;
        lock (_gate)
        {
            if (!_listeners.TryGetValue(leader, out var all))
            {
                _listeners[leader] = all = [];
            }

            all.Add(listener);
            missed = _unclaimed.TryGetValue(leader, out var last) ? last : null;
        }

        if (missed is { } message)
        {
            listener(message);
        }
    }

    /// <summary>Has a listener hear no more.</summary>
    public void Remove(string leader, Action<Message> listener)
    {
        lock (_gate)
        {
            if (_listeners.TryGetValue(leader, out var all) && all.Remove(listener) && all.Count == 0)
            {
                _listeners.Remove(leader);
            }
        }
    }

    /// <summary>Tells those who listen to a flight, or keeps the message.</summary>
    public void Tell(string leader, Message message)
    {
        Action<Message>[] listeners;
        lock (_gate)
        {
            if (!_listeners.TryGetValue(leader, out var all))
            {
                Keep_NeedsLock(leader, message);
                return;
            }

            listeners = [.. all];
        }

        Array.ForEach(listeners, listener => listener(message));
    }

    /// <summary>Tells everybody.</summary>
    public void TellAll(Message message)
    {
        List<Action<Message>> listeners;
        lock (_gate)
        {
            listeners = [.. _listeners.Values.SelectMany(static all => all)];
        }

        listeners.ForEach(listener => listener(message));
    }

    private void Keep_NeedsLock(string leader, Message message)
    {
        Debug.Assert(Monitor.IsEntered(_gate), "The gate is held.");
        if (!_unclaimed.TryAdd(leader, message))
        {
            _unclaimed[leader] = message;
            return;
        }

        _order.Enqueue(leader);
        if (_order.Count > Kept)
        {
            _unclaimed.Remove(_order.Dequeue());
        }
    }
}
