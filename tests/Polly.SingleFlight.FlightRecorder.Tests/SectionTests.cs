using System.Diagnostics;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Time.Testing;
using Polly.SingleFlight.Caching;

namespace FlightRecorder.Tests;

/// <summary>What is counted in a section.</summary>
public sealed class SectionTests : RecorderTest
{
    [Fact]
    public async Task Section_OfAFlight_CountsCallersAndCalls()
    {
        var recorder = Record();
        recorder.BeginSection("together");
        var callers = await AskTogether(Tokens(), "Asia", followers: 4);
        Gate.Open();
        await Task.WhenAll(callers);
        recorder.BeginSection("after");

        var sections = recorder.GetRecording().Sections;
        Assert.Equal([("together", 5, 1, 4), ("after", 0, 0, 0)], sections.Select(static section => (section.Name, section.Callers, section.Calls, section.Followers)));
    }

    [Fact]
    public async Task Section_OfACallWithoutKey_CountsACallThatRanAlone()
    {
        var recorder = Record();
        await Tokens().ExecuteAsync(static _ => ValueTask.CompletedTask);

        var section = Assert.Single(recorder.GetRecording().Sections);
        Assert.Equal((1, 1, 1), (section.Callers, section.Calls, section.Bypassed));
    }

    [Fact]
    public async Task Section_WithACache_CountsHitsAsCallersAndRefreshesAsCalls()
    {
        using var cache = new MemoryCache(new MemoryCacheOptions());
        var clock = new FakeTimeProvider();
        var refreshed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var pipeline = new ResiliencePipelineBuilder<string> { Name = "tokens", TimeProvider = clock }
            .AddCache(cache, new CacheStrategyOptions<string>
            {
                LifetimeGenerator = static args => new(CacheLifetime.FromExpiresIn(TimeSpan.FromHours(1), args.Elapsed)),
                OnRefresh = _ =>
                {
                    refreshed.TrySetResult();
                    return default;
                },
            })
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()))
            .Build();
        var recorder = Record();
        using var callers = new ActivitySource("callers");
        async Task Get()
        {
            using var activity = callers.StartActivity(ActivityKind.Internal, tags: [new("region", "Asia")], name: "caller");
            await pipeline.ExecuteSingleFlightAsync("Asia", static _ => new ValueTask<string>("token"));
        }

        recorder.BeginSection("cold");
        await Get();
        recorder.BeginSection("warm");
        await Get();
        recorder.BeginSection("refresh");
        clock.Advance(TimeSpan.FromMinutes(55));
        await Get();
        await refreshed.Task.Soon();

        var recording = recorder.GetRecording();
        Assert.Equal(
            [("cold", 1, 1, 0), ("warm", 1, 0, 1), ("refresh", 1, 1, 1)],
            recording.Sections.Select(static section => (section.Name, section.Callers, section.Calls, section.CacheHits)));
        Assert.Equal(
            [("Asia", "caller", false), ("Asia", "refresh", true)],
            recording.Flights.Select(static flight => (flight.Lane, flight.Leader, flight.IsRefresh)));
    }
}
