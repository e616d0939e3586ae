using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>
/// Whether it is worth asking Redis: it is connected, and has answered the last command in time. After one that was late it is asked in the background, with one command at a time, until
/// it answers.
/// </summary>
internal sealed class Health(IDatabase database)
{
    /// <summary>How long to wait between two questions that fail at once.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private int _isHanging;
    private volatile bool _isStopped;

    public bool IsStopped => _isStopped;

    public bool IsUp(RedisKey key) => !_isStopped && Volatile.Read(ref _isHanging) == 0 && IsConnected(key);

    /// <summary>A command was not answered in time.</summary>
    public void WasLate(RedisKey key)
    {
        if (Interlocked.Exchange(ref _isHanging, 1) == 0)
        {
            _ = Detached.Run(() => WatchAsync(key));
        }
    }

    /// <summary>Nothing is asked any more.</summary>
    public void Stop() => _isStopped = true;

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
            await database.KeyExistsAsync(key, CommandFlags.DemandMaster).ConfigureAwait(false);
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
