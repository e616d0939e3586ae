using Polly.Registry;

namespace Polly.SingleFlight.Extensions.Tests.Telemetry;

/// <summary>A pipeline of the same services whose calls never carry a key does nothing, which nobody would notice.</summary>
public sealed class NeverKeyedTests : ClientTest
{
    private readonly string _name = $"pipeline-{Guid.NewGuid():N}";

    [Fact]
    public async Task Calls_NeverWithAKey_AreOneWarningAfterTen()
    {
        var pipeline = Pipeline();

        await Call(pipeline, 9);
        Assert.Empty(Warnings);
        await Call(pipeline, 20);

        var warning = Assert.Single(Warnings);
        Assert.Contains($"'{_name}/", warning.Message, StringComparison.Ordinal);
        Assert.Contains("(NoKey)", warning.Message, StringComparison.Ordinal);
        Assert.Equal(28, Of(LogLevel.Debug).Count());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task Calls_OneOfWhichHadAKey_AreNoWarning(int before)
    {
        var pipeline = Pipeline();

        await Call(pipeline, before);
        await pipeline.ExecuteSingleFlightAsync("key", static _ => new ValueTask<int>(1));
        await Call(pipeline, 30);

        Assert.Empty(Warnings);
    }

    /// <summary>Each piece of advice is found in the warning, followed, and seen to work.</summary>
    [Theory]
    [InlineData("ExecuteSingleFlightAsync")]
    [InlineData("SetSingleFlightKey on the context")]
    [InlineData("set a KeyGenerator")]
    public async Task Advice_Followed_LetsCallersShare(string advice)
    {
        await Call(Pipeline(), 10);
        Assert.Contains(advice, Assert.Single(Warnings).Message, StringComparison.Ordinal);
        var options = Watch(new SingleFlightStrategyOptions());
        if (advice == "set a KeyGenerator")
        {
            options.KeyGenerator = static _ => new("key");
        }

        var pipeline = Pipeline(options);
        var calls = 0;
        var first = Follow();
        await Probe.Reached(Started, 1);
        var second = Follow();
        await Probe.Reached(Joined, 1);
        Gate.Open();

        Assert.Equal((1, 1), (await first, await second));

        Task<int> Follow() => advice switch
        {
            "ExecuteSingleFlightAsync" => pipeline.ExecuteSingleFlightAsync("key", CountAsync).Soon(),
            "set a KeyGenerator" => pipeline.ExecuteAsync(CountAsync).Soon(),
            _ => FlightTest.Call(pipeline, "key", _ => CountAsync(default).AsTask()),
        };

        async ValueTask<int> CountAsync(CancellationToken token)
        {
            await Gate.Opened;
            return Interlocked.Increment(ref calls);
        }
    }

    private ResiliencePipeline Pipeline(SingleFlightStrategyOptions? options = null)
    {
        var provider = Provide(services =>
        {
            services.AddHttpClient(Prices).AddSingleFlight();
            services.AddResiliencePipeline(_name, pipeline => pipeline.AddSingleFlight(options ?? new SingleFlightStrategyOptions()));
        });
        return provider.GetRequiredService<ResiliencePipelineProvider<string>>().GetPipeline(_name);
    }

    private static async Task Call(ResiliencePipeline pipeline, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await pipeline.ExecuteAsync(static _ => default);
        }
    }
}
