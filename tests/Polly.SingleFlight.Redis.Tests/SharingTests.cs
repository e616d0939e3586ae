namespace Polly.SingleFlight.Redis.Tests;

/// <summary>Many nodes and one key: one execution, and what is handed over.</summary>
public sealed class SharingTests(RedisServer server) : DistributedTest(server)
{
    public sealed record Token(string Value, int Number);

    [Theory]
    [InlineData(2)]
    [InlineData(10)]
    public async Task Nodes_OneKey_OneExecution(int count)
    {
        var nodes = await StartAllAsync<Token>(count);
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return new Token("leader", 7);
        }, _ => throw new InvalidOperationException("A follower called."));
        gate.Open();
        var results = await Task.WhenAll(calls);
        Assert.All(results, result => Assert.Equal(new Token("leader", 7), result));
        Assert.Equal(count, results.Distinct(ReferenceEqualityComparer.Instance).Count());
        Assert.Equal(1, nodes.Sum(node => node.Executions));
        Assert.Equal(1, nodes.Sum(node => node.Listener.Count(Led)));
        Assert.Equal(count - 1, nodes.Sum(node => node.Listener.Count(Joined)));
        Assert.Equal(0, nodes.Sum(node => node.Listener.Count(Bypassed)));
    }

    [Fact]
    public async Task Nodes_StartedAtOnce_OneExecution()
    {
        var nodes = await StartAllAsync<int>(6);
        for (var round = 0; round < 20; round++)
        {
            var gate = new Gate();
            var executions = nodes.Sum(node => node.Executions);
            var joined = nodes.Sum(node => node.Listener.Count(Joined));
            var calls = nodes.Select(node => Task.Run(() => node.Call(("round", round), async _ =>
            {
                await gate.Opened;
                return round;
            }))).ToArray();
            await Eventually(() => Task.FromResult(nodes.Sum(node => node.Listener.Count(Joined)) == joined + 5), "five follow");
            gate.Open();
            Assert.All(await Task.WhenAll(calls).Soon(), result => Assert.Equal(round, result));
            Assert.Equal(executions + 1, nodes.Sum(node => node.Executions));
        }
    }

    [Fact]
    public async Task Keys_Many_EachItsOwnResult()
    {
        var nodes = await StartAllAsync<string>(3);
        var calls = Enumerable.Range(0, 300).Select(i => (Key: i % 50, Call: nodes[i % 3].Call(i % 50, async _ =>
        {
            await Task.Yield();
            return $"{i % 50}";
        }))).ToList();
        foreach (var (key, call) in calls)
        {
            Assert.Equal($"{key}", await call.Soon());
        }
    }

    [Fact]
    public async Task Result_Null_IsHandedOver()
    {
        var nodes = await StartAllAsync<string?>(3);
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return null;
        }, _ => Task.FromResult<string?>("own"));
        gate.Open();
        Assert.All(await Task.WhenAll(calls), Assert.Null);
    }

    [Fact]
    public async Task Result_ValueTypes_AreHandedOver()
    {
        await HandedOverAsync(0);
        await HandedOverAsync<int?>(null);
        await HandedOverAsync<int?>(5);
        await HandedOverAsync((1, "two"));
        await HandedOverAsync(Guid.NewGuid());
        await HandedOverAsync("");
        await HandedOverAsync<string[]>([]);
        await HandedOverAsync<List<int>>([1, 2, 3]);
        await HandedOverAsync<byte[]>([0, 255]);
    }

    [Fact]
    public async Task Result_OfObjectPipeline_HasTheTypeThatWasAskedFor()
    {
        var nodes = await StartAllAsync<object>(2);
        var gate = new Gate();
        var first = nodes[0].Pipeline.ExecuteSingleFlightAsync("key", async _ =>
        {
            await gate.Opened;
            return 5;
        }).AsTask();
        await nodes[0].Probe.Reached(Led, 1);
        var second = nodes[1].Pipeline.ExecuteSingleFlightAsync<object, int>("key", _ => throw new InvalidOperationException()).AsTask();
        await nodes[1].Probe.Reached(Joined, 1);
        var other = await nodes[1].Pipeline.ExecuteSingleFlightAsync("key", _ => new ValueTask<string>("other type")).Soon();
        gate.Open();
        Assert.Equal((5, 5, "other type"), (await first.Soon(), await second.Soon(), other));
    }

    [Fact]
    public async Task Sequence_OfTwoNodes_TwoExecutions()
    {
        var nodes = await StartAllAsync<int>(2);
        for (var i = 0; i < 300; i++)
        {
            var own = i;
            Assert.Equal(own, await nodes[i % 2].Call("key", own).Soon());
        }
    }

    [Fact]
    public async Task LocalCallers_OfEachNode_AskOnce()
    {
        var nodes = await StartAllAsync<int>(2);
        var gate = new Gate();
        Task<int> Call(int node) => nodes[node].Call("key", async _ =>
        {
            await gate.Opened;
            return 1;
        });
        var first = Call(0);
        await nodes[0].Probe.Reached("callback", 1);
        var calls = Enumerable.Range(0, 50).Select(i => Call(i % 2)).Append(first).ToArray();
        await nodes[1].Probe.Reached(Joined, 1);
        gate.Open();
        await Task.WhenAll(calls).Soon();
        Assert.Equal((1, 1), (nodes.Sum(node => node.Executions), nodes.Sum(node => node.Listener.Count(Joined))));
    }

    [Fact]
    public async Task WithoutLocalFlight_CallersOfOneNode_Follow()
    {
        var node = await StartAsync<int>(local: false);
        var gate = new Gate();
        var leader = node.Call("key", async _ =>
        {
            await gate.Opened;
            return 1;
        });
        await node.Probe.Reached("callback", 1);
        var followers = Enumerable.Range(0, 4).Select(_ => node.Call("key", 2)).ToArray();
        await node.Probe.Reached(Joined, 4);
        gate.Open();
        Assert.Equal(1, await leader.Soon());
        await Task.WhenAll(followers).Soon();
        Assert.True(node.Listener.Count(Bypassed) == 0, string.Join(",", node.Listener.Reports.Select(r => r.Name + r.Arguments)));
        Assert.All(await Task.WhenAll(followers).Soon(), result => Assert.Equal(1, result));
    }

    [Fact]
    public async Task Execute_Synchronously_Works()
    {
        var node = await StartAsync<int>();
        Assert.Equal(3, node.Pipeline.ExecuteSingleFlight("key", static _ => 3));
    }

    private async Task HandedOverAsync<T>(T value)
    {
        var nodes = await StartAllAsync<T>(2);
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return value;
        }, _ => throw new InvalidOperationException("A follower called."));
        gate.Open();
        Assert.All(await Task.WhenAll(calls), result => Assert.Equal(value, result));
    }
}
