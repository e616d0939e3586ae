using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>How scripts are sent. None of this throws, except for the caller's own cancellation.</summary>
internal sealed class ScriptSender(IDatabase database)
{
    /// <summary>How many answers it takes until the fastest is known.</summary>
    private const int FirstAnswers = 16;

    /// <summary>What no answer is faster by.</summary>
    private static readonly TimeSpan s_slack = TimeSpan.FromMilliseconds(0.2);

    /// <summary>The time of the fastest answer, in ticks.</summary>
    private long _fastest = long.MaxValue / 4;

    private int _answers;

    public Health Health { get; } = new(database);

    /// <summary>Sends a script without waiting for the answer.</summary>
    public void Send(string script, RedisKey[] keys, RedisValue[] values)
    {
        try
        {
            // Not with CommandFlags.FireAndForget: the client sends a script that the server has lost again only if it waits for the answer.
            Detached.Observe(Detached.Begin(() => database.ScriptEvaluateAsync(script, keys, values, CommandFlags.DemandMaster)));
        }
        catch (Exception)
        {
            // The lease, or the next look of those who wait, does it then.
        }
    }

    /// <summary>Runs a script.</summary>
    /// <param name="script">The script.</param>
    /// <param name="keys">Its keys.</param>
    /// <param name="values">Its arguments.</param>
    /// <param name="timeout">How long to wait for the answer.</param>
    /// <param name="undo">Called when the wait for the answer has ended without one: with the answer as soon as it comes, or with null when it does not.</param>
    /// <param name="isUnconditional">Whether this is sent also when Redis is not worth asking, since nobody waits for the answer.</param>
    /// <param name="token">Ends the wait for the answer.</param>
    public async Task<Answer> RunAsync(
        string script, RedisKey[] keys, RedisValue[] values, TimeSpan timeout, Action<RedisResult?>? undo = null, bool isUnconditional = false, CancellationToken token = default)
    {
        var routed = keys is [var first, ..] ? first : default;
        if (!isUnconditional && !Health.IsUp(routed))
        {
            return default;
        }

        Task<RedisResult>? sent = null;
        var begin = TimeProvider.System.GetTimestamp();
        try
        {
            // The library keeps the context until the answer comes, which may be long after this has given up.
            using (Detached.SuppressFlow())
            {
                sent = database.ScriptEvaluateAsync(script, keys, values, CommandFlags.DemandMaster);
            }

            var result = await sent.WaitAsync(timeout, token).ConfigureAwait(false);
            var end = TimeProvider.System.GetTimestamp();
            Health.Answered(routed, end);
            return Note(result, begin, end);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            Undo(sent, undo);
            throw;
        }
        catch (TimeoutException)
        {
            Health.WasLate(routed, timeout);
            Undo(sent, undo);
            return new Answer { IsLate = true, MayBeHeard = true };
        }
        catch (Exception exception)
        {
            // A script that was refused may have begun.
            Undo(sent, undo);
            return new Answer { MayBeHeard = sent is not null && exception is not RedisServerException };
        }
    }

    /// <summary>Has a command undone when its answer has come: what is sent before that may be heard first, since a script that the server has lost is sent twice.</summary>
    private static void Undo(Task<RedisResult>? sent, Action<RedisResult?>? undo)
    {
        if (sent is null || undo is null)
        {
            Detached.Observe(sent);
            return;
        }

        using (Detached.SuppressFlow())
        {
            sent.ContinueWith(
                ended =>
                {
                    _ = ended.Exception;
                    undo(ended.IsCompletedSuccessfully ? ended.Result : null);
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    /// <summary>Notes how long Redis takes. Two answers at once do no harm.</summary>
    private Answer Note(RedisResult result, long begin, long end)
    {
        var took = TimeProvider.System.GetElapsedTime(begin, end);
        var fastest = new TimeSpan(Volatile.Read(ref _fastest));
        if (took < fastest)
        {
            Volatile.Write(ref _fastest, took.Ticks);
            fastest = took;
        }

        // What an answer takes longer than the fastest, it may have taken on its way back.
        var delay = took - fastest + s_slack;
        return new Answer(result, begin, end, delay < took && Interlocked.Increment(ref _answers) > FirstAnswers ? delay : took);
    }
}
