using System.Collections.Concurrent;
using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>
/// Whether it is worth asking Redis: it is connected, and does not hang. It hangs if a command was late and no other was answered in time lately: then it is asked in the background, with
/// one command at a time, until it answers. A command that is late while others are answered costs its own caller something, and nobody else.
/// </summary>
internal sealed class Health(IDatabase database)
{
    /// <summary>How long to wait between two questions that fail at once.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <summary>When a command was last answered in time, as a timestamp of the system's clock: by slot in a cluster, where one server says nothing of another, and else together.</summary>
    private readonly ConcurrentDictionary<int, long> _answers = new();

    private int _isHanging;
    private volatile bool _isStopped;

    public bool IsStopped => _isStopped;

    public bool IsUp(RedisKey key) => !_isStopped && Volatile.Read(ref _isHanging) == 0 && IsConnected(key);

    /// <summary>A command was answered in time.</summary>
    public void Answered(RedisKey key, long at) => _answers[SlotOf(key)] = at;

    /// <summary>A command was not answered within its time.</summary>
    public void WasLate(RedisKey key, TimeSpan timeout)
    {
        // Half of the time, because what was answered when the late command was sent says nothing of what came afterwards.
        if (_answers.TryGetValue(SlotOf(key), out var answered) && TimeProvider.System.GetElapsedTime(answered) < timeout / 2)
        {
            return;
        }

        if (Interlocked.Exchange(ref _isHanging, 1) == 0)
        {
            _ = Detached.Run(() => WatchAsync(key));
        }
    }

    /// <summary>Nothing is asked any more.</summary>
    public void Stop() => _isStopped = true;

    private int SlotOf(RedisKey key)
    {
        try
        {
            return database.Multiplexer.GetHashSlot(key);
        }
        catch (Exception)
        {
            return -1;
        }
    }

    private bool IsConnected(RedisKey key)
    {
        try
        {
            return database.IsConnected(key, CommandFlags.DemandMaster);
        }
        catch (Exception)
        {
            return false;
        }
    }

    private async Task<bool> WatchAsync(RedisKey key)
    {
        // One that is not connected is known to be down, and has to answer before it is connected again.
        while (!_isStopped && IsConnected(key) && !await AnswersAsync(key).ConfigureAwait(false))
        {
            await Task.Delay(s_pause).ConfigureAwait(false);
        }

        Volatile.Write(ref _isHanging, 0);
        return true;
    }

    private async Task<bool> AnswersAsync(RedisKey key)
    {
        try
        {
            // What was late may have had no key, and such a command is not sent for one.
            await (key.Equals(default(RedisKey)) ? database.PingAsync(CommandFlags.DemandMaster) : (Task)database.KeyExistsAsync(key, CommandFlags.DemandMaster)).ConfigureAwait(false);
            return true;
        }
        catch (RedisServerException)
        {
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }
}
