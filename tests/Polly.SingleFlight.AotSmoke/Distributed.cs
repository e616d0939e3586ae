using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Polly.SingleFlight.Redis;
using Polly.Telemetry;
using StackExchange.Redis;

namespace Polly.SingleFlight.AotSmoke;

/// <summary>Single flight across machines, over the server that <c>SINGLE_FLIGHT_REDIS</c> names.</summary>
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
        var server = Environment.GetEnvironmentVariable("SINGLE_FLIGHT_REDIS")
            ?? throw new InvalidOperationException("Set SINGLE_FLIGHT_REDIS to the address of a server, as host:port.");
        var calls = 0;
        var gate = Expect.Gate();
        var leads = new EventGate("OnDistributedFlightLed");
        var follows = new EventGate("OnDistributedFlightJoined");
        var scope = Guid.NewGuid().ToString();
        await using var first = await ConnectionMultiplexer.ConnectAsync(server);
        await using var second = await ConnectionMultiplexer.ConnectAsync(server);
        await using var leading = new RedisSingleFlightGroup(first, scope);
        await using var following = new RedisSingleFlightGroup(second, scope);

        var leader = CallAsync(leading, leads);
        await leads.Passed;
        var follower = CallAsync(following, follows);
        await follows.Passed;
        gate.TrySetResult();

        Expect.Equal(new SharedToken("leader"), await leader, "the leader's result");
        Expect.Equal(new SharedToken("leader"), await follower, "the follower's result");
        Expect.Equal(1, calls, "calls");

        Task<SharedToken> CallAsync(RedisSingleFlightGroup group, TelemetryListener listener) => Pipeline(group, listener).ExecuteSingleFlightAsync(("tenant", 1), async _ =>
        {
            var made = Make(ref calls, "leader");
            await gate.Task;
            return made;
        }).AsTask();
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

    private static ResiliencePipeline<SharedToken> Pipeline(RedisSingleFlightGroup group, TelemetryListener? listener = null) =>
        new ResiliencePipelineBuilder<SharedToken> { TelemetryListener = listener }
        .AddSingleFlight()
        .AddDistributedSingleFlight(group, new DistributedSingleFlightStrategyOptions<SharedToken> { JsonTypeInfo = SharedTokenJson.Default.SharedToken, CommandTimeout = TimeSpan.FromSeconds(10) })
        .Build();

    private static SharedToken Make(ref int calls, string text)
    {
        calls++;
        return new SharedToken(text);
    }

    /// <summary>Opens when an event is reported.</summary>
    private sealed class EventGate(string name) : TelemetryListener
    {
        private readonly TaskCompletionSource _passed = Expect.Gate();

        public Task Passed => _passed.Task.WaitAsync(TimeSpan.FromMinutes(1));

        public override void Write<TResult, TArgs>(in TelemetryEventArguments<TResult, TArgs> args)
        {
            if (args.Event.EventName == name)
            {
                _passed.TrySetResult();
            }
        }
    }

    internal sealed record SharedToken(string Text);

    [JsonSerializable(typeof(SharedToken))]
    private sealed partial class SharedTokenJson : JsonSerializerContext;
}
