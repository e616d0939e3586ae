namespace Polly.SingleFlight.Redis.Engine;

/// <summary>Sends a command again until Redis has confirmed it.</summary>
internal static class Repetition
{
    /// <summary>The time until a command is sent again, the first time. It doubles up to the longest.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(1);

    /// <summary>What timers are early by, most often.</summary>
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(1);

    /// <summary>Sends a command until it is confirmed, the time is over or the engine is stopped.</summary>
    /// <returns>The last reply.</returns>
    public static async Task<TReply> UntilConfirmedAsync<TReply>(RedisEngine engine, TimeSpan time, Func<Task<TReply>> send, Func<TReply, bool> isConfirmed)
    {
        var begin = TimeProvider.System.GetTimestamp();
        for (var pause = Pause; ; pause = 2 * pause < s_longestPause ? 2 * pause : s_longestPause)
        {
            var reply = await send().ConfigureAwait(false);
            if (isConfirmed(reply) || engine.IsStopped || TimeProvider.System.GetElapsedTime(begin) >= time)
            {
                return reply;
            }

            await Task.Delay(pause).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until a time has passed by the clock, or something has ended. A timer may be early, so it may take several.</summary>
    public static async Task HoldAsync(long begin, TimeSpan time, Task? ending = null)
    {
        while (ending is not { IsCompleted: true } && time - TimeProvider.System.GetElapsedTime(begin) is { Ticks: > 0 } rest)
        {
            var timer = Task.Delay(rest + s_tick);
            await (ending is null ? timer : Task.WhenAny(ending, timer)).ConfigureAwait(false);
        }
    }
}
