using Polly.SingleFlight.Redis.Engine;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>What is sent when nobody waits for it any more arrives all the same, also if the server has lost its scripts or the connection breaks.</summary>
/// <remarks>A script that is sent again is one command more for those who count them, who are in the same collection.</remarks>
[Collection(nameof(LostScriptTests))]
public sealed class LostScriptTests(RedisServer server) : DistributedTest(server)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Outcome_LeftAfterTheEnd_IsReceivedAllTheSame(bool breaks)
    {
        await using var inner = await Server.ConnectAsync();
        var isLost = false;
        var leader = await StartAsync<int>(connection: InterceptedScripts.Create(inner, async (script, send) =>
        {
            if (script == Scripts.Deliver && Volatile.Read(ref isLost))
            {
                Volatile.Write(ref isLost, false);
                _ = breaks ? throw new RedisException("The test has cut it.") : await Server.Database.ExecuteAsync("SCRIPT", "FLUSH");
            }

            return await send();
        }));
        var follower = await StartAsync<int>();
        for (var round = 0; round < 2; round++)
        {
            var (gate, value, called, joined) = (new Gate(), round, leader.Probe["callback"], follower.Probe[Joined]);
            var leading = leader.Call("key", async _ =>
            {
                await gate.Opened;
                return value;
            }).Soon();
            await leader.Probe.Reached("callback", called + 1);

            // As if somebody else had told the leader already, and it had not heard of it: the outcome is left after the end.
            var name = leader.Group.Led.Single().Name;
            await Server.Database.HashSetAsync(name.Flight, "w", "1");
            var following = follower.Call("key", -1).Soon();
            await follower.Probe.Reached(Joined, joined + 1);
            Volatile.Write(ref isLost, round == 1);

            // What two clocks may differ by in speed must not make this registration a late one.
            await PassesOnTheServer(TimeSpan.FromMilliseconds(20));
            gate.Open();
            Assert.Equal((value, value), (await leading, await following));
        }

        Assert.False(isLost);
    }

    /// <summary>The caller has gone when its acquisition is heard: late, or again since the server had lost the script.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Acquisition_HeardAfterItsCallerHasGone_IsTakenBack(bool isCanceled)
    {
        await using var inner = await Server.ConnectAsync();
        var late = new Gate();
        var isLate = false;
        var options = new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(isCanceled ? 60 : 3), Lease = TimeSpan.FromMinutes(1) };
        var (sent, heard) = (new Gate(), new Gate());
        var node = await StartAsync(options, connection: InterceptedScripts.Create(inner, async (script, send) =>
        {
            if (Volatile.Read(ref isLate) && script == Scripts.Acquire)
            {
                sent.Open();
                await late.Opened;
                var answer = await send();
                heard.Open();
                return answer;
            }

            if (Volatile.Read(ref isLate) && script == Scripts.End)
            {
                await Server.Database.ExecuteAsync("SCRIPT", "FLUSH");
            }

            return await send();
        }));
        await IsAnsweredAsync(node);
        Volatile.Write(ref isLate, true);
        using var source = new CancellationTokenSource();
        var call = node.Call("key", _ => Task.FromResult(1), source.Token).Soon();
        await sent.Opened.Soon();
        if (isCanceled)
        {
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        }
        else
        {
            Assert.Equal(1, await call);
        }

        late.Open();
        await heard.Opened.Soon();
        await Eventually(async () =>
        {
            var keys = await KeysOf(node, "key");
            Assert.All(keys.Values, static left => Assert.True(left > 30_000, "It is left to the end of its lease."));
            return keys.Count == 0;
        }, "no flight without a leader");
    }

    /// <summary>The connection breaks for a moment when the flight is ended for somebody who waits. Nobody waits for the whole time-out then.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task End_WhoseConnectionBreaks_IsSentAgainSoon(bool isHeard)
    {
        await using var inner = await Server.ConnectAsync();
        var ends = 0;
        var leader = await StartAsync<int>(connection: InterceptedScripts.Create(inner, async (script, send) =>
        {
            if (script != Scripts.End || Interlocked.Increment(ref ends) > 1)
            {
                return await send();
            }

            _ = isHeard ? await send() : null;
            throw new RedisException("The test has cut it.");
        }));
        var follower = await StartAsync<int>();
        var gate = new Gate();
        var calls = await FlyAsync([leader, follower], "key", async _ =>
        {
            await gate.Opened;
            return 1;
        }, _ => Task.FromResult(2));
        var led = leader.Group.Led.Single();
        await Eventually(() => Task.FromResult(led.IsAwaited), "the leader has heard of the follower");
        var begin = TimeProvider.System.GetTimestamp();
        gate.Open();
        int[] results = await Task.WhenAll(calls);
        Assert.Equal([1, 1], results);
        Assert.True(TimeProvider.System.GetElapsedTime(begin) < Node<int>.Patient().CommandTimeout, "The whole time-out was waited for.");
    }

    /// <summary>The group is disposed between the end of a flight and its outcome, which is not known to be needed before.</summary>
    [Fact]
    public async Task Outcome_LeftAfterItsGroupWasDisposed_IsReceived()
    {
        await using var inner = await Server.ConnectAsync();
        var (ending, answered) = (new Gate(), new Gate());
        var leader = await StartAsync<int>(connection: InterceptedScripts.Create(inner, async (script, send) =>
        {
            var result = await send();
            if (script == Scripts.End)
            {
                ending.Open();
                await answered.Opened;
            }

            return result;
        }));
        var follower = await StartAsync<int>();
        var gate = new Gate();
        var leading = leader.Call("key", async _ =>
        {
            await gate.Opened;
            return 1;
        }).Soon();
        await leader.Probe.Reached("callback", 1);
        await Server.Database.HashSetAsync(leader.Group.Led.Single().Name.Flight, "w", "1");
        var following = follower.Call("key", -1).Soon();
        await follower.Probe.Reached(Joined, 1);
        await PassesOnTheServer(TimeSpan.FromMilliseconds(20));
        gate.Open();
        await ending.Opened.Soon();
        Assert.Equal(1, await leading);
        await leader.Group.DisposeAsync();
        answered.Open();
        Assert.Equal(1, await following);
    }
}
