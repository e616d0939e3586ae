using System.Globalization;
using Polly.SingleFlight.Redis.Payload;
using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>The commands that a group sends. None of them throws, except for the caller's own cancellation.</summary>
internal sealed class RedisEngine
{
    /// <summary>How long an outcome can be fetched.</summary>
    private const int OutcomeMilliseconds = 5000;

    /// <summary>How many answers it takes until the fastest is known.</summary>
    private const int FirstAnswers = 16;

    /// <summary>What no answer is faster by.</summary>
    private static readonly TimeSpan s_slack = TimeSpan.FromMilliseconds(0.2);

    private readonly IDatabase _database;
    private readonly Health _health;

    private readonly object _gate = new();

    /// <summary>The inbox being opened, for all callers that need it meanwhile. Guarded by the gate.</summary>
    private Task<bool>? _opening;

    /// <summary>The time of the fastest answer, in ticks.</summary>
    private long _fastest = long.MaxValue / 4;

    private int _answers;

    public RedisEngine(IConnectionMultiplexer redis, string channel)
    {
        _database = redis.GetDatabase();
        _health = new Health(_database);
        Inbox = new Inbox(redis, channel);
    }

    /// <summary>How long an outcome can be fetched.</summary>
    public static TimeSpan OutcomeTime { get; } = TimeSpan.FromMilliseconds(OutcomeMilliseconds);

    public Inbox Inbox { get; }

    public bool IsUp(FlightName name) => _health.IsUp(name.Flight);

    /// <summary>Nothing is sent any more.</summary>
    public void Stop() => _health.Stop();

    /// <summary>Asks to lead or to follow.</summary>
    /// <exception cref="OperationCanceledException">The caller has left. What it may have become is given up.</exception>
    public async Task<AcquireReply> AcquireAsync(FlightName name, AcquireRequest request, CancellationToken token)
    {
        var hasFollowed = request.Followed.Length > 0;
        RedisKey[] keys = hasFollowed ? [name.Index, name.Flight, name.Aside(request.Followed), name.Outcome(request.Followed)] : [name.Index, name.Flight];
        RedisValue[] values =
        [
            request.Id, Milliseconds(request.Lease), Inbox.WireName, name.Kind,
            request.MaxJoinAge == System.Threading.Timeout.InfiniteTimeSpan ? "-1" : request.MaxJoinAge.TotalMicroseconds.ToString("F0", CultureInfo.InvariantCulture),
            request.Followed, request.MayJoinAnother ? "1" : "0",
        ];
        return AcquireReply.Read(await RunAsync(Scripts.Acquire, keys, values, request.Timeout, () => Undo(name, request.Id), token).ConfigureAwait(false), request.Id);
    }

    /// <summary>Renews a lease.</summary>
    /// <returns>Whether the flight is still the leader's; null if Redis did not say.</returns>
    public async Task<bool?> RenewAsync(FlightName name, string leader, TimeSpan lease, TimeSpan timeout)
    {
        var reply = (await RunAsync(Scripts.Renew, [name.Index, name.Flight, name.Aside(leader)], [leader, Milliseconds(lease)], timeout).ConfigureAwait(false)).Result;
        return reply is { Resp2Type: ResultType.Integer } ? (long)reply == 1 : null;
    }

    /// <summary>Ends a flight.</summary>
    /// <returns>Who waits; null if Redis did not confirm the end.</returns>
    public async Task<EndReply?> EndAsync(FlightName name, string leader, FlightEnd end, TimeSpan timeout) =>
        EndReply.Read(await RunAsync(Scripts.End, KeysOf(name, leader), ValuesOf(name, leader, end), timeout).ConfigureAwait(false));

    /// <summary>Leaves the outcome of a flight that has ended. Does not wait for the answer.</summary>
    public void Deliver(FlightName name, string leader, byte[] outcome, List<RedisValue> receivers, List<RedisValue> late) =>
        Send(Scripts.Deliver, [name.Outcome(leader), name.Aside(leader)], [leader, outcome, OutcomeMilliseconds, receivers.Count, .. receivers, .. late]);

    /// <summary>Has newcomers start afresh.</summary>
    /// <returns>Whether Redis has confirmed it.</returns>
    public async Task<bool> ForgetAsync(string index, TimeSpan timeout) =>
        (await RunAsync(Scripts.Forget, [index], [], timeout).ConfigureAwait(false)).Result is not null;

    /// <summary>Begins to listen, once, and hears a message of its own, so that neither of them is new when it matters.</summary>
    /// <returns>Whether messages come in.</returns>
    /// <exception cref="OperationCanceledException">The caller has left.</exception>
    public ValueTask<bool> OpenAsync(TimeSpan timeout, CancellationToken token) => Inbox.IsOpen ? new(true) : new(OpenInbox(timeout).WaitAsync(token));

    private static RedisKey[] KeysOf(FlightName name, string leader) => [name.Index, name.Flight, name.Aside(leader), name.Outcome(leader)];

    private static RedisValue[] ValuesOf(FlightName name, string leader, FlightEnd end) =>
        [leader, name.Kind, end.Outcome ?? [], OutcomeMilliseconds, end.Cutoff.ToString(CultureInfo.InvariantCulture), end.IsGivenUp ? "1" : "0"];

    private static string Milliseconds(TimeSpan span) => span.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);

    /// <summary>Takes back a command whose answer did not come, and which may have been heard. It goes the same way, so it is heard afterwards.</summary>
    private void Undo(FlightName name, string id) => Send(Scripts.End, KeysOf(name, id), ValuesOf(name, id, FlightEnd.GivenUp));

    private void Send(string script, RedisKey[] keys, RedisValue[] values)
    {
        try
        {
            Observe(_database.ScriptEvaluateAsync(script, keys, values, CommandFlags.DemandMaster | CommandFlags.FireAndForget));
        }
        catch (Exception)
        {
            // The lease, or the next look of those who wait, does it then.
        }
    }

    /// <param name="script">The script.</param>
    /// <param name="keys">Its keys.</param>
    /// <param name="values">Its arguments.</param>
    /// <param name="timeout">How long to wait for the answer.</param>
    /// <param name="undo">Called when the command may have been heard although there is no answer.</param>
    /// <param name="token">Ends the wait for the answer.</param>
    private async Task<Answer> RunAsync(
        string script, RedisKey[] keys, RedisValue[] values, TimeSpan timeout, Action? undo = null, CancellationToken token = default)
    {
        var routed = keys is [var first, ..] ? first : default;
        if (!_health.IsUp(routed))
        {
            return default;
        }

        Task<RedisResult>? sent = null;
        var begin = TimeProvider.System.GetTimestamp();
        try
        {
            sent = _database.ScriptEvaluateAsync(script, keys, values, CommandFlags.DemandMaster);
            var result = await sent.WaitAsync(timeout, token).ConfigureAwait(false);
            return Note(result, begin, TimeProvider.System.GetTimestamp());
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            Observe(sent);
            undo?.Invoke();
            throw;
        }
        catch (TimeoutException)
        {
            Observe(sent);
            _health.WasLate(routed);
            undo?.Invoke();
            return default;
        }
        catch (Exception)
        {
            if (sent is not null)
            {
                undo?.Invoke();
            }

            return default;
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
        return new Answer(result, end, delay < took && Interlocked.Increment(ref _answers) > FirstAnswers ? delay : took);
    }

    private Task<bool> OpenInbox(TimeSpan timeout)
    {
        lock (_gate)
        {
            return _opening is { IsCompleted: false } opening ? opening : _opening = Task.Run(() => OpenInboxAsync(timeout));
        }
    }

    private async Task<bool> OpenInboxAsync(TimeSpan timeout)
    {
        if (Inbox.IsOpen || !_health.IsUp(default))
        {
            return Inbox.IsOpen;
        }

        if (await Inbox.SubscribeAsync(timeout).ConfigureAwait(false) is not { } hasSubscribed)
        {
            _health.WasLate(default);
            return false;
        }

        // That messages do not come in is no reason not to go on: those who wait look every second.
        if (hasSubscribed && (await RunAsync(Scripts.Hello, [], [Inbox.WireName], timeout).ConfigureAwait(false)).Result is not null)
        {
            await Inbox.HeardAsync(timeout).ConfigureAwait(false);
            Inbox.IsOpen = true;
        }

        return Inbox.IsOpen;
    }

    private static void Observe(Task? task) => task?.ContinueWith(
        static ended => _ = ended.Exception,
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);
}
