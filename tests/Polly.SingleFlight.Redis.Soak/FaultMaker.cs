using Polly.SingleFlight.Soak;
using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Soak;

/// <summary>Makes faults, one after another. Some of them last while others are made.</summary>
internal sealed class FaultMaker(SoakOptions options, Seat[] seats, IDatabase database, ulong seed)
{
    /// <summary>Puts something else in place of a key of a flight, which is gone after a second. ARGV: 1 a random number, 2 the type, or DEL.</summary>
    private const string Spoil = """
        local keys = redis.call('KEYS', 'polly-sf:*')
        if #keys == 0 then return 0 end
        local key = keys[tonumber(ARGV[1]) % #keys + 1]
        redis.call('DEL', key)
        if ARGV[2] == 'string' then redis.call('SET', key, 'something else', 'PX', 1000) end
        if ARGV[2] == 'list' then redis.call('RPUSH', key, 'something else') redis.call('PEXPIRE', key, 1000) end
        if ARGV[2] == 'hash' then redis.call('HSET', key, 'something', 'else') redis.call('PEXPIRE', key, 1000) end
        return 1
        """;

    private readonly Dictionary<FaultKind, int> _made = [];
    private readonly List<Task> _lasting = [];
    private Rng _rng = new(seed);

    public string Count() => string.Join(", ", _made.OrderBy(static made => made.Key).Select(static made => $"{made.Key} {made.Value}"));

    /// <summary>Makes faults until it is stopped, and ends when those that last have ended.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (options.Faults.Count > 0 && !stop.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20 + _rng.Below(300)), CancellationToken.None);
            var kind = options.Faults[_rng.Below(options.Faults.Count)];
            if (await MakeAsync(kind))
            {
                _made[kind] = _made.GetValueOrDefault(kind) + 1;
            }
        }

        await Task.WhenAll(_lasting);
    }

    private async Task<bool> MakeAsync(FaultKind kind)
    {
        switch (kind)
        {
            case FaultKind.Kill:
                return Last(static seat => seat.KillAndStartAsync());

            case FaultKind.ShortStop:
                var little = Seat.Lease * _rng.Below(900) / 1000;
                return Last(seat => seat.StopAsync(little));

            case FaultKind.LongStop:
                var longer = Seat.Lease * (1000 + _rng.Below(3000)) / 1000;
                return Last(seat => seat.StopAsync(longer));

            case FaultKind.ScriptFlush:
                return await SendAsync("SCRIPT", "FLUSH");

            case FaultKind.CutCommands:
                return await SendAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");

            case FaultKind.CutMessages:
                return await SendAsync("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes");

            case FaultKind.FlushAll:
                return await SendAsync("FLUSHALL");

            case FaultKind.WrongType:
                return await SpoilAsync(_rng.Below(3) switch { 0 => "string", 1 => "list", _ => "hash" });

            case FaultKind.LostKey:
                return await SpoilAsync("DEL");

            default:
                var seat = seats[_rng.Below(seats.Length)];
                seat.Node?.Forget($"key{_rng.Below(options.Keys)}");
                return true;
        }
    }

    private bool Last(Func<Seat, Task> fault)
    {
        var seat = seats[_rng.Below(seats.Length)];
        if (!seat.TryClaim())
        {
            return false;
        }

        _lasting.Add(RunAsync());
        return true;

        async Task RunAsync()
        {
            await fault(seat);
            seat.Release();
        }
    }

    private async Task<bool> SpoilAsync(string type) =>
        await TryAsync(async () => (int)await database.ScriptEvaluateAsync(Spoil, [], [_rng.Below(1000), type]) == 1);

    private Task<bool> SendAsync(string command, params object[] arguments) => TryAsync(async () =>
    {
        await database.ExecuteAsync(command, arguments);
        return true;
    });

    /// <summary>The connection may have been cut, and a server may not know a command.</summary>
    private static async Task<bool> TryAsync(Func<Task<bool>> action)
    {
        try
        {
            return await action();
        }
        catch (RedisException)
        {
            return false;
        }
    }
}
