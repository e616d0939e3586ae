using System.Collections.Concurrent;
using System.Globalization;
using Polly.Telemetry;
using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Nodes;

/// <summary>A node of a service, as tests drive it: a command a line comes in, and what happens goes out, a line each.</summary>
internal sealed class Node : IAsyncDisposable
{
    private readonly MessageWriter _writer = new();
    private readonly NodeSettings _settings;
    private readonly ConnectionMultiplexer _redis;
    private readonly RedisSingleFlightGroup _group;
    private readonly ResiliencePipeline<string> _pipeline;
    private readonly ConcurrentDictionary<int, RunningCall> _calls = new();
    private int _executions;

    private Node(NodeSettings settings, ConnectionMultiplexer redis)
    {
        (_settings, _redis) = (settings, redis);
        _group = new RedisSingleFlightGroup(redis, settings.Scope);
        var builder = new ResiliencePipelineBuilder<string> { TelemetryListener = new EventWriter(_writer) };
        _pipeline = builder
            .AddSingleFlight()
            .AddDistributedSingleFlight(_group, new DistributedSingleFlightStrategyOptions<string> { Lease = settings.Lease, CommandTimeout = settings.CommandTimeout })
            .Build();
    }

    public static async Task<Node> StartAsync(NodeSettings settings)
    {
        var options = ConfigurationOptions.Parse(settings.Server);
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = 20_000;
        options.AsyncTimeout = 20_000;
        options.ReconnectRetryPolicy = new LinearRetry(2000);
        var node = new Node(settings, await ConnectionMultiplexer.ConnectAsync(options));

        // Has code compiled and the channel opened, so that nothing is slow the first time.
        await node._pipeline.ExecuteSingleFlightAsync($"first call of {Guid.NewGuid()}", static _ => new ValueTask<string>("warm"));
        return node;
    }

    /// <summary>Does what the lines say, each at once, until there are no more or one says to exit.</summary>
    public async Task RunAsync()
    {
        _writer.Write(new NodeMessage(MessageKind.Ready, MessageWriter.Now));
        while (Console.ReadLine() is { } line)
        {
            switch (line.Split(' '))
            {
                case ["call", var number, var key, var work]:
                    var call = new RunningCall(Number(number), key, Work.Parse(work));
                    _calls[call.Number] = call;
                    _ = Task.Run(() => CallAsync(call));
                    break;

                case ["open", var number] when _calls.TryGetValue(Number(number), out var held):
                    held.Open();
                    break;

                case ["leave", var number] when _calls.TryGetValue(Number(number), out var leaving):
                    leaving.Leave();
                    break;

                case ["forget", var key]:
                    _ = ForgetAsync(key);
                    break;

                case ["connect"]:
                    await ConnectAsync();
                    break;

                case ["exit"]:
                    await _group.DisposeAsync();
                    _writer.Write(new NodeMessage(MessageKind.Done, MessageWriter.Now));
                    return;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _group.DisposeAsync();
        await _redis.DisposeAsync();
        _writer.Dispose();
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private async Task CallAsync(RunningCall call)
    {
        string? value = null;
        string? error = null;
        _writer.Write(new NodeMessage(MessageKind.Asked, MessageWriter.Now) { Call = call.Number, Key = call.Key });
        try
        {
            value = await _pipeline.ExecuteSingleFlightAsync(call.Key, token => new ValueTask<string>(CallbackAsync(call, token)), call.Token);
        }
        catch (Exception exception)
        {
            error = exception is OperationCanceledException && call.Token.IsCancellationRequested ? "left" : $"{exception.GetType().Name}: {exception.Message}";
        }

        _writer.Write(new NodeMessage(MessageKind.Ended, MessageWriter.Now) { Call = call.Number, Key = call.Key, Value = value, Error = error });
        _calls.TryRemove(new(call.Number, call));
        call.Dispose();
    }

    private async Task<string> CallbackAsync(RunningCall call, CancellationToken token)
    {
        var value = $"{call.Key}/{_settings.Name}/{Interlocked.Increment(ref _executions)}";
        _writer.Write(new NodeMessage(MessageKind.Began, MessageWriter.Now) { Call = call.Number, Key = call.Key, Value = value });
        try
        {
            await call.WorkAsync(token);
            if (call.Fails)
            {
                throw new InvalidOperationException(value);
            }
        }
        catch (Exception exception)
        {
            _writer.Write(new NodeMessage(MessageKind.Left, MessageWriter.Now) { Call = call.Number, Key = call.Key, Value = value, Error = exception.Message });
            throw;
        }

        _writer.Write(new NodeMessage(MessageKind.Left, MessageWriter.Now) { Call = call.Number, Key = call.Key, Value = value });
        return value;
    }

    private async Task ForgetAsync(string key)
    {
        var isConfirmed = await _group.ForgetAsync(key);
        _writer.Write(new NodeMessage(MessageKind.Done, MessageWriter.Now) { Key = key, Value = isConfirmed ? "confirmed" : "not confirmed" });
    }

    private async Task ConnectAsync()
    {
        while (!_redis.IsConnected)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }

        _writer.Write(new NodeMessage(MessageKind.Done, MessageWriter.Now));
    }

    /// <summary>Writes which part calls play.</summary>
    private sealed class EventWriter(MessageWriter writer) : TelemetryListener
    {
        public override void Write<TResult, TArgs>(in TelemetryEventArguments<TResult, TArgs> args)
        {
            MessageKind? kind = args.Event.EventName switch
            {
                "OnFlightJoined" => MessageKind.JoinedHere,
                "OnDistributedFlightJoined" => MessageKind.Joined,
                "OnDistributedFlightBypassed" => MessageKind.Bypassed,
                _ => null,
            };
            if (kind is { } known)
            {
                writer.Write(new NodeMessage(known, MessageWriter.Now) { Value = known == MessageKind.Bypassed ? args.Arguments!.ToString() : null });
            }
        }
    }
}
