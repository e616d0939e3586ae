using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Polly.SingleFlight.Redis;
using StackExchange.Redis;

namespace Polly.SingleFlight.AotSmoke;

/// <summary>Single flight across machines. What takes a server runs if <c>SINGLE_FLIGHT_REDIS</c> names one.</summary>
internal static partial class Distributed
{
    public static async Task NodesWithoutRedisRunAlone()
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync("127.0.0.1:1,abortConnect=false,connectTimeout=100,connectRetry=0");
        await using var group = new RedisSingleFlightGroup(connection, "smoke");
        var pipeline = Pipeline(group);
        var calls = 0;
        for (var i = 1; i <= 3; i++)
        {
            Expect.Equal(new SharedToken("own"), await pipeline.ExecuteSingleFlightAsync(("tenant", 1), _ => new ValueTask<SharedToken>(Make(ref calls, "own"))), "result");
            Expect.Equal(i, calls, "calls");
        }
    }

    public static async Task NodesShareOneExecution()
    {
        if (Environment.GetEnvironmentVariable("SINGLE_FLIGHT_REDIS") is not { Length: > 0 } server)
        {
            return;
        }

        var calls = 0;
        var results = new List<Task<SharedToken>>();
        var begun = Expect.Gate();
        var gate = Expect.Gate();
        var scope = Guid.NewGuid().ToString();
        for (var node = 0; node < 2; node++)
        {
            var connection = await ConnectionMultiplexer.ConnectAsync(server);
            var group = new RedisSingleFlightGroup(connection, scope);
            results.Add(Pipeline(group).ExecuteSingleFlightAsync(("tenant", 1), async _ =>
            {
                Make(ref calls, "");
                begun.TrySetResult();
                await gate.Task;
                return new SharedToken("leader");
            }).AsTask());
            await begun.Task;
        }

        // The second has registered when it is told so; half a second is more than that takes.
        await Task.Delay(500);
        gate.TrySetResult();
        foreach (var result in results)
        {
            Expect.Equal(new SharedToken("leader"), await result, "result");
        }

        Expect.Equal(1, calls, "calls");
    }

    public static Task InvalidOptionsAreNamed()
    {
        using var connection = ConnectionMultiplexer.Connect("127.0.0.1:1,abortConnect=false,connectTimeout=100,connectRetry=0");
        var group = new RedisSingleFlightGroup(connection, "smoke");
        Refused(nameof(DistributedSingleFlightStrategyOptions<>.Lease), new() { Lease = TimeSpan.Zero });
        Refused(nameof(DistributedSingleFlightStrategyOptions<>.MaxPayloadBytes), new() { MaxPayloadBytes = 0 });
        Refused(nameof(DistributedSingleFlightStrategyOptions<>.KeyGenerator), new() { KeyGenerator = null! });
        return Task.CompletedTask;

        void Refused(string option, DistributedSingleFlightStrategyOptions<SharedToken> options)
        {
            var refusal = Expect.Throws<ValidationException>(() => new ResiliencePipelineBuilder<SharedToken>().AddDistributedSingleFlight(group, options));
            Expect.Contains(option, refusal.Message);
        }
    }

    private static ResiliencePipeline<SharedToken> Pipeline(RedisSingleFlightGroup group) => new ResiliencePipelineBuilder<SharedToken>()
        .AddSingleFlight()
        .AddDistributedSingleFlight(group, new DistributedSingleFlightStrategyOptions<SharedToken> { JsonTypeInfo = SharedTokenJson.Default.SharedToken, CommandTimeout = TimeSpan.FromSeconds(10) })
        .Build();

    private static SharedToken Make(ref int calls, string text)
    {
        calls++;
        return new SharedToken(text);
    }

    internal sealed record SharedToken(string Text);

    [JsonSerializable(typeof(SharedToken))]
    private sealed partial class SharedTokenJson : JsonSerializerContext;
}
