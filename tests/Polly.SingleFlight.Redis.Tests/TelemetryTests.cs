using System.Diagnostics.Metrics;
using Polly.Telemetry;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>Events and measurements, without a key, a scope or a result in them.</summary>
public sealed class TelemetryTests(RedisServer server) : DistributedTest(server)
{
    [Fact]
    public async Task Meter_CountsByRoleAndReason_AndMeasuresWaitsAndPayloads()
    {
        var measured = new List<(string Name, object Value, string? Unit, Dictionary<string, object?> Tags)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Polly.SingleFlight.Redis")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();
        var name = Guid.NewGuid().ToString();
        var nodes = new Node<string>[2];
        for (var i = 0; i < 2; i++)
        {
            nodes[i] = await StartAsync<string>(outside: builder => builder.Name = name);
        }

        var gate = new Gate();
        var calls = await FlyAsync(nodes, "secret-key", async _ =>
        {
            await gate.Opened;
            return "secret-result";
        }, _ => Task.FromResult("own"));
        gate.Open();
        await Task.WhenAll(calls);
        await nodes[0].Pipeline.ExecuteAsync(_ => new ValueTask<string>("alone"));

        await Eventually(() => Task.FromResult(Own().Count == 5), "five measurements");
        var executions = Own().Where(one => one.Name == "polly.single_flight.distributed.executions").ToList();
        Assert.Equal(
            ["alone/NoKey", "follower/", "leader/"],
            executions.Select(one => $"{one.Tags["single_flight.distributed.role"]}/{one.Tags.GetValueOrDefault("single_flight.distributed.reason")}").Order());
        Assert.All(executions, one => Assert.Equal(1L, one.Value));
        var wait = Assert.Single(Own(), one => one.Name == "polly.single_flight.distributed.wait.duration");
        Assert.Equal("s", wait.Unit);
        Assert.InRange((double)wait.Value, 0, 60);
        var size = Assert.Single(Own(), one => one.Name == "polly.single_flight.distributed.payload.size");
        Assert.Equal(("By", 15L), (size.Unit, size.Value));
        Assert.All(Own().SelectMany(one => one.Tags.Values), value => Assert.DoesNotContain("secret", $"{value}"));
        Assert.All(Own().SelectMany(one => one.Tags.Values), value => Assert.DoesNotContain(Scope, $"{value}"));

        List<(string Name, object Value, string? Unit, Dictionary<string, object?> Tags)> Own()
        {
            lock (measured)
            {
                return [.. measured.Where(one => name.Equals(one.Tags.GetValueOrDefault("pipeline.name")))];
            }
        }

        void Add<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var all = tags.ToArray().ToDictionary();
            lock (measured)
            {
                measured.Add((instrument.Name, value!, instrument.Unit, all));
            }
        }
    }

    [Fact]
    public async Task Events_HaveTheirSeverities_AndNoOutcome()
    {
        var nodes = await StartAllAsync<string>(2);
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "secret-key", async _ =>
        {
            await gate.Opened;
            return "secret-result";
        }, _ => Task.FromResult("own"));
        gate.Open();
        await Task.WhenAll(calls);
        var reports = nodes.SelectMany(node => node.Listener.Reports).Where(report => report.Name.Contains("Distributed", StringComparison.Ordinal)).ToList();
        Assert.Equal([(Led, ResilienceEventSeverity.Debug), (Joined, ResilienceEventSeverity.Debug)], reports.Select(report => (report.Name, report.Severity)));
        Assert.All(reports, report => Assert.False(report.HasOutcome));
        Assert.All(reports, report => Assert.DoesNotContain("secret", report.Arguments));
    }

    [Fact]
    public async Task Listener_Throws_NothingFails()
    {
        var nodes = await StartAllAsync<string>(2);
        nodes[0].Listener.Throws = nodes[1].Listener.Throws = true;
        var gate = new Gate();
        var calls = await FlyAsync(nodes, "key", async _ =>
        {
            await gate.Opened;
            return "leader";
        }, _ => Task.FromResult("own"));
        gate.Open();
        Assert.All(await Task.WhenAll(calls), result => Assert.Equal("leader", result));
    }
}
