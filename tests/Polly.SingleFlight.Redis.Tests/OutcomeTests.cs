using System.Buffers;
using System.Text;
using Microsoft.Extensions.Caching.Hybrid;
using Polly.CircuitBreaker;
using Polly.SingleFlight.Redis.Engine;
using Polly.SingleFlight.Redis.Payload;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>What is handed over, what is not, and what is not believed.</summary>
public sealed class OutcomeTests(RedisServer server) : DistributedTest(server)
{
    private static readonly byte[] s_secret = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    public static TheoryData<Exception> Failures => [new InvalidOperationException("x"), new OperationCanceledException(), new BrokenCircuitException()];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Failure_OthersRunInParallel(Exception failure) => await OthersRunInParallelAsync(null, failure, DistributedBypassReason.Failed);

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Failure_WithASerializer_IsHandedOver_UnlessItIsOfThisNode(Exception failure)
    {
        var options = new Func<DistributedSingleFlightStrategyOptions<string>>(() =>
        {
            var all = Node<string>.Patient();
            all.ExceptionSerializer = new FailureSerializer();
            return all;
        });
        if (failure is not InvalidOperationException { Message: "x" })
        {
            await OthersRunInParallelAsync(options, failure, DistributedBypassReason.Failed);
            return;
        }

        var nodes = await StartAllAsync(3, options);
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            throw failure;
        }, _ => Task.FromResult("own"));
        gate.Open();
        foreach (var call in calls)
        {
            Assert.Equal("x", (await Assert.ThrowsAsync<InvalidOperationException>(() => call)).Message);
        }

        Assert.Equal(1, nodes.Sum(node => node.Executions));
    }

    [Fact]
    public async Task ShouldShare_SaysNo_OthersRunInParallel_AndItIsRemembered()
    {
        var clocks = Enumerable.Range(0, 3).Select(_ => new SignallingClock()).ToArray();
        var asked = 0;
        var nodes = new Node<string>[3];
        for (var i = 0; i < 3; i++)
        {
            var options = Node<string>.Patient();
            options.ShouldShare = args =>
            {
                Interlocked.Increment(ref asked);
                return new(args.Outcome.Result != "leader");
            };
            nodes[i] = await StartAsync(options, clock: clocks[i]);
        }

        await RunInParallelAsync(nodes, null, DistributedBypassReason.Unshared);
        Assert.Equal(1, asked);
        foreach (var node in nodes)
        {
            await node.Call("key", "again").Soon();
            Assert.Equal(1, node.Bypassed(DistributedBypassReason.Remembered));
        }

        foreach (var (node, clock) in nodes.Zip(clocks))
        {
            clock.Advance(TimeSpan.FromSeconds(30));
            await node.Call("key", "later").Soon();
            Assert.Equal(1, node.Bypassed(DistributedBypassReason.Remembered));
        }
    }

    [Fact]
    public async Task Result_TooLarge_OthersRunInParallel() => await OthersRunInParallelAsync(
        () =>
        {
            var options = Node<string>.Patient();
            options.MaxPayloadBytes = 7;
            return options;
        },
        null,
        DistributedBypassReason.Unshared);

    [Fact]
    public async Task Result_ThatJsonDoesNotReadBack_OthersRunInParallel()
    {
        await RunsOwnAsync(new Sealed("text"));
        await RunsOwnAsync<Base>(new Derived { Text = "text" });
        await RunsOwnAsync<object>("text");
        await RunsOwnAsync<Func<int>>(() => 1);

        async Task RunsOwnAsync<T>(T value)
        {
            var nodes = await StartAllAsync<T>(2);
            var gate = new Gate();
            var own = value;
            var calls = await FlyAsync(nodes, "key", async _ =>
            {
                await gate.Opened;
                return value;
            }, _ => Task.FromResult(own));
            gate.Open();
            Assert.All(await Task.WhenAll(calls), result => Assert.True(ReferenceEquals(value, result)));
            Assert.True(nodes[1].Bypassed(DistributedBypassReason.Unshared) == 1, $"{typeof(T)}: {string.Join(",", nodes[1].Listener.Reports.Select(r => r.Name + r.Arguments))}");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Outcome_OfAnotherFlightOrLeader_OrChanged_IsNotRead(bool sealedWithSecret)
    {
        var secret = sealedWithSecret ? s_secret : null;
        var node = await StartAsync<string>(secret: secret);
        var stranger = new Stranger(Server, node.Group, "key", typeof(string));
        var other = new Stranger(Server, node.Group, "other key", typeof(string));
        var value = new HandedOver(OutcomeContent.Value, default, default, "\"stolen\""u8.ToArray());
        var sealer = node.Group.Identity.Sealer;
        var count = 0;
        await NotReadAsync(_ => "garbage");
        await NotReadAsync(_ => "");
        await NotReadAsync(_ => new byte[] { 1 });
        await NotReadAsync(id => Envelope.Write(value, other.Name, id, sealer));
        await NotReadAsync(_ => Envelope.Write(value, stranger.Name, FlightName.NewLeader(), sealer));
        await NotReadAsync(id => Envelope.Write(value, stranger.Name, id, sealedWithSecret ? null : new Sealer(new byte[32])));
        await NotReadAsync(id => Changed(Envelope.Write(value, stranger.Name, id, sealer)));
        await NotReadAsync(id => Envelope.Write(value with { Data = "not JSON"u8.ToArray() }, stranger.Name, id, sealer));
        await NotReadAsync(id => Envelope.Write(value with { Content = (OutcomeContent)77 }, stranger.Name, id, sealer));

        async Task NotReadAsync(Func<string, RedisValue> outcome)
        {
            await stranger.LeadAsync();
            var call = node.Call("key", "own");
            await node.Probe.Reached(Joined, ++count);
            await stranger.EndAsync(outcome(stranger.Id));
            Assert.Equal("own", await call.Soon());
            Assert.Equal(count, node.Bypassed(DistributedBypassReason.Undecodable));
        }
    }

    /// <summary>A leader that did not know that somebody waits ends the flight first and delivers then. Who looks in between still follows.</summary>
    [Fact]
    public async Task Look_BetweenTheEndAndTheDelivery_StillFollows()
    {
        var node = await StartAsync<string>();
        var stranger = new Stranger(Server, node.Group, "key", typeof(string));
        await stranger.LeadAsync();
        var call = node.Call("key", "own").Soon();
        await node.Probe.Reached(Joined, 1);
        var engine = node.Group.Engine;
        var (ended, _) = await engine.EndAsync(stranger.Name, stranger.Id, new FlightEnd(null, 0, IsGivenUp: false), TimeSpan.FromSeconds(20));
        Assert.Equal(1, ended!.Value.Waiting);

        // It registers again when it looks.
        var aside = stranger.Name.Aside(stranger.Id);
        await Server.Database.HashDeleteAsync(aside, engine.Inbox.WireName);
        await stranger.TellAsync('G', stranger.Id);
        await Eventually(async () => node.Executions > 0 || await Server.Database.HashExistsAsync(aside, engine.Inbox.WireName), "it has looked");
        var outcome = new HandedOver(OutcomeContent.Value, default, default, "\"delivered\""u8.ToArray());
        var written = Envelope.Write(outcome, stranger.Name, stranger.Id, null);
        Assert.True(await engine.DeliverAsync(stranger.Name, stranger.Id, written, ended.Value.EndedAt, [engine.Inbox.WireName], [], TimeSpan.FromSeconds(20)));
        Assert.Equal("delivered", await call);
    }

    [Fact]
    public async Task Outcome_ForThoseBeforeTheCutoff_IsNotForLaterOnes()
    {
        var node = await StartAsync<string>();
        var stranger = new Stranger(Server, node.Group, "key", typeof(string));
        await stranger.LeadAsync();
        var call = node.Call("key", "own");
        await node.Probe.Reached(Joined, 1);
        var early = new HandedOver(OutcomeContent.Value, default, default, "\"early\""u8.ToArray()) { Cutoff = 1 };
        await stranger.EndAsync(Envelope.Write(early, stranger.Name, stranger.Id, null));
        Assert.Equal("own", await call.Soon());
        Assert.Equal((1, 0), (node.Listener.Count(Led), node.Listener.Count(Bypassed)));
    }

    [Fact]
    public async Task NothingReadable_IsInRedis()
    {
        var nodes = await StartAllAsync<string>(2, secret: s_secret);
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "readable-key", async _ =>
        {
            await gate.Opened;
            return "readable-result";
        }, _ => Task.FromResult("own"));
        var texts = new List<string>();
        var keys = (await KeysOf(nodes[0], "readable-key")).Keys.ToList();
        foreach (var key in keys)
        {
            texts.Add(key + string.Join(",", await Server.Database.HashGetAllAsync(key)));
        }

        gate.Open();
        Assert.Equal(["readable-result", "readable-result"], await Task.WhenAll(calls));
        var outcome = Assert.Single((await KeysOf(nodes[0], "readable-key")).Keys);
        texts.Add(outcome + Encoding.Latin1.GetString((byte[])(await Server.Database.StringGetAsync(outcome))!));
        Assert.All(texts, text => Assert.DoesNotContain("readable", text));
        Assert.All(texts, text => Assert.DoesNotContain(Scope, text));
        Assert.All(keys, key => Assert.Matches("^polly-sf:\\{[0-9a-f]{64}\\}", key));
    }

    private static byte[] Changed(byte[] bytes)
    {
        bytes[^1] ^= 1;
        return bytes;
    }

    private async Task OthersRunInParallelAsync(Func<DistributedSingleFlightStrategyOptions<string>>? options, Exception? failure, DistributedBypassReason reason) =>
        await RunInParallelAsync(await StartAllAsync(4, options), failure, reason);

    /// <summary>The others' callbacks end only when all of them have begun.</summary>
    private static async Task RunInParallelAsync(Node<string>[] nodes, Exception? failure, DistributedBypassReason reason)
    {
        var gate = new Gate();
        var allRun = new Gate();
        var running = 0;
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return failure is null ? "leader" : throw failure;
        }, async number =>
        {
            if (Interlocked.Increment(ref running) == nodes.Length - 1)
            {
                allRun.Open();
            }

            await allRun.Opened;
            return $"own {number}";
        });
        gate.Open();
        for (var i = 1; i < nodes.Length; i++)
        {
            Assert.Equal($"own {i}", await calls[i]);
            Assert.Equal(1, nodes[i].Bypassed(reason));
        }

        if (failure is null)
        {
            Assert.Equal("leader", await calls[0]);
        }
        else
        {
            Assert.Same(failure, await Record.ExceptionAsync(() => calls[0]));
        }
    }

    /// <summary>Its state is not in its properties.</summary>
    public sealed class Sealed(string text)
    {
        public string Describe() => text;
    }

    public class Base
    {
        public int Number { get; set; }
    }

    public sealed class Derived : Base
    {
        public string Text { get; set; } = "";
    }

    private sealed class FailureSerializer : IHybridCacheSerializer<Exception>
    {
        public Exception Deserialize(ReadOnlySequence<byte> source) => new InvalidOperationException(Encoding.UTF8.GetString(source.ToArray()));

        public void Serialize(Exception value, IBufferWriter<byte> target) => target.Write(Encoding.UTF8.GetBytes(value.Message));
    }
}
