using Polly.SingleFlight.Redis.Engine;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>What is sent when nobody waits for it any more arrives all the same, also if the server has lost its scripts or the connection breaks.</summary>
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
            gate.Open();
            Assert.Equal((value, value), (await leading, await following));
        }

        Assert.False(isLost);
    }

    [Fact]
    public async Task Acquisition_TakenBack_IsTakenBackAllTheSame()
    {
        await using var inner = await Server.ConnectAsync();
        var late = new Gate();
        var isLost = false;
        var options = new DistributedSingleFlightStrategyOptions<int> { CommandTimeout = TimeSpan.FromSeconds(3), Lease = TimeSpan.FromMinutes(1) };
        var node = await StartAsync(options, connection: InterceptedScripts.Create(inner, async (script, send) =>
        {
            var sent = Volatile.Read(ref isLost) && script == Scripts.End ? SendLateAsync() : send();
            if (Volatile.Read(ref isLost) && script == Scripts.Acquire)
            {
                await late.Opened;
            }

            return await sent;

            async Task<RedisResult> SendLateAsync()
            {
                await Server.Database.ExecuteAsync("SCRIPT", "FLUSH");
                return await send();
            }
        }));
        await IsAnsweredAsync(node);
        Volatile.Write(ref isLost, true);
        Assert.Equal(1, await node.Call("key", 1).Soon());
        await Eventually(async () =>
        {
            var keys = await KeysOf(node, "key");
            Assert.All(keys.Values, static left => Assert.True(left > 30_000, "It is left to the end of its lease."));
            return keys.Count == 0;
        }, "no flight without a leader");
        late.Open();
    }
}
