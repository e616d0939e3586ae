using System.Collections.Concurrent;
using System.Globalization;
using Polly.SingleFlight.Redis.Payload;
using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Engine;

/// <summary>The commands that a group sends. None of them throws, except for the caller's own cancellation.</summary>
internal sealed class RedisEngine
{
    /// <summary>How long an outcome can be fetched.</summary>
    private const int OutcomeMilliseconds = 5000;

    private readonly ScriptSender _sender;
    private readonly IConnectionMultiplexer _redis;

    /// <summary>The clock of the server, or in a cluster one for each slot that was used, since a slot is on one server.</summary>
    private readonly ConcurrentDictionary<int, ServerClock> _clocks = new();

    private readonly object _gate = new();

    /// <summary>The inbox being opened, for all callers that need it meanwhile. Guarded by the gate.</summary>
    private Task<bool>? _opening;

    public RedisEngine(IConnectionMultiplexer redis, string channel)
    {
        _redis = redis;
        _sender = new ScriptSender(redis.GetDatabase());
        Inbox = new Inbox(redis, channel);
    }

    /// <summary>How long an outcome can be fetched.</summary>
    public static TimeSpan OutcomeTime { get; } = TimeSpan.FromMilliseconds(OutcomeMilliseconds);

    public Inbox Inbox { get; }

    public bool IsUp(FlightName name) => _sender.Health.IsUp(name.Flight);

    public bool IsStopped => _sender.Health.IsStopped;

    /// <summary>Nothing is sent any more.</summary>
    public void Stop() => _sender.Health.Stop();

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
        var answer = await _sender.RunAsync(Scripts.Acquire, keys, values, request.Timeout, UndoLate, token: token).ConfigureAwait(false);
        var reply = AcquireReply.Read(answer, request.Id);
        if (reply.ServerTime != 0)
        {
            ClockOf(name)?.Note(reply.SentAt, reply.At, reply.ServerTime);
        }

        return reply;

        void UndoLate(RedisResult? late)
        {
            if (late is null || AcquireReply.Read(new Answer(late, 0, 0, default), request.Id).Kind == AcquireKind.Led)
            {
                Undo(name, request.Id);
            }
        }
    }

    /// <summary>A timestamp of the system's clock at which it was not yet later on the server of a flight than the given time; the latest that is known to be one.</summary>
    public long LastBefore(FlightName name, long serverTime) => ClockOf(name)?.LastBefore(serverTime) ?? long.MinValue + 1;

    /// <summary>Renews a lease.</summary>
    /// <returns>Whether the flight is still the leader's; null if Redis did not say.</returns>
    public async Task<bool?> RenewAsync(FlightName name, string leader, TimeSpan lease, TimeSpan timeout)
    {
        var reply = (await _sender.RunAsync(Scripts.Renew, [name.Index, name.Flight, name.Aside(leader)], [leader, Milliseconds(lease)], timeout).ConfigureAwait(false)).Result;
        return reply is { Resp2Type: ResultType.Integer } ? (long)reply == 1 : null;
    }

    /// <summary>Ends a flight.</summary>
    /// <returns>Who waits, or null if Redis did not confirm the end; and whether it may hear of it all the same.</returns>
    public async Task<(EndReply? Reply, bool MayBeHeard)> EndAsync(FlightName name, string leader, FlightEnd end, TimeSpan timeout)
    {
        var answer = await _sender.RunAsync(Scripts.End, KeysOf(name, leader), ValuesOf(name, leader, end), timeout).ConfigureAwait(false);
        return (EndReply.Read(answer), answer.MayBeHeard);
    }

    /// <summary>Leaves the outcome of a flight that has ended. Sends it in any case, also when the group is disposed meanwhile.</summary>
    /// <returns>Whether Redis has confirmed it.</returns>
    public async Task<bool> DeliverAsync(FlightName name, string leader, byte[] outcome, long heldAt, List<RedisValue> receivers, List<RedisValue> late, TimeSpan timeout)
    {
        RedisValue[] values = [leader, outcome, OutcomeMilliseconds, heldAt.ToString(CultureInfo.InvariantCulture), receivers.Count, .. receivers, .. late];
        return (await _sender.RunAsync(Scripts.Deliver, [name.Outcome(leader), name.Aside(leader)], values, timeout, isUnconditional: true).ConfigureAwait(false)).Result is not null;
    }

    /// <summary>Has newcomers start afresh.</summary>
    /// <returns>Whether Redis has confirmed it.</returns>
    public async Task<bool> ForgetAsync(string index, TimeSpan timeout) =>
        (await _sender.RunAsync(Scripts.Forget, [index], [], timeout).ConfigureAwait(false)).Result is not null;

    /// <summary>Begins to listen, once, and hears a message of its own, so that neither of them is new when it matters.</summary>
    /// <returns>Whether messages come in.</returns>
    /// <exception cref="OperationCanceledException">The caller has left.</exception>
    public ValueTask<bool> OpenAsync(TimeSpan timeout, CancellationToken token) => Inbox.IsOpen ? new(true) : new(OpenInbox(timeout).WaitAsync(token));

    private ServerClock? ClockOf(FlightName name)
    {
        try
        {
            return _clocks.GetOrAdd(_redis.GetHashSlot(name.Flight), static _ => new ServerClock());
        }
        catch (Exception)
        {
            // Nothing is known of the server then.
            return null;
        }
    }

    private static RedisKey[] KeysOf(FlightName name, string leader) => [name.Index, name.Flight, name.Aside(leader), name.Outcome(leader)];

    private static RedisValue[] ValuesOf(FlightName name, string leader, FlightEnd end) =>
        [leader, name.Kind, end.Outcome ?? [], OutcomeMilliseconds, end.Cutoff.ToString(CultureInfo.InvariantCulture), end.IsGivenUp ? "1" : "0"];

    private static string Milliseconds(TimeSpan span) => span.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);

    /// <summary>Takes back what a caller that has left may lead.</summary>
    private void Undo(FlightName name, string id) => _sender.Send(Scripts.End, KeysOf(name, id), ValuesOf(name, id, FlightEnd.GivenUp));

    private Task<bool> OpenInbox(TimeSpan timeout)
    {
        lock (_gate)
        {
            return _opening is { IsCompleted: false } opening ? opening : _opening = Detached.Run(() => OpenInboxAsync(timeout));
        }
    }

    private async Task<bool> OpenInboxAsync(TimeSpan timeout)
    {
        if (Inbox.IsOpen || !_sender.Health.IsUp(default))
        {
            return Inbox.IsOpen;
        }

        if (await Inbox.SubscribeAsync(timeout).ConfigureAwait(false) is not { } hasSubscribed)
        {
            _sender.Health.WasLate(default, timeout);
            return false;
        }

        // That messages do not come in is no reason not to go on: those who wait look every second.
        if (hasSubscribed && (await _sender.RunAsync(Scripts.Hello, [], [Inbox.WireName], timeout).ConfigureAwait(false)).Result is not null)
        {
            await Inbox.HeardAsync(timeout).ConfigureAwait(false);
            Inbox.IsOpen = true;
        }

        return Inbox.IsOpen;
    }
}
