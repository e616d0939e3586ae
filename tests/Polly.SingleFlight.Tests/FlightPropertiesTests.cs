using Polly.Hedging;

namespace Polly.SingleFlight.Tests;

/// <summary>
/// S3: the properties that a callback finds, whether the flight stands in for them or not. These tests look at contexts that have gone back to their
/// pool, so they run by themselves.
/// </summary>
[Collection(nameof(Flights.WholeThreadPool))]
public sealed class FlightPropertiesTests : FlightTest
{
    private static readonly ResiliencePropertyKey<string> s_own = new("own");
    private static readonly ResiliencePropertyKey<string> s_written = new("written");

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Callback_LeaderHasPropertiesOrNone_FindsThemAndTheKey(bool hasProperties, bool detectReentrancy)
    {
        var pipeline = Build(Watched(new SingleFlightStrategyOptions { DetectReentrancy = detectReentrancy }));
        await Call(pipeline, "key", context =>
        {
            Assert.Equal("key", context.GetSingleFlightKey());
            Assert.Equal(hasProperties, context.Properties.TryGetValue(s_own, out var own));
            Assert.Equal(hasProperties ? "value" : null, own);
            Assert.False(context.Properties.TryGetValue(s_written, out _));
            Assert.Equal((hasProperties ? 2 : 1) + (detectReentrancy ? 1 : 0), Entries(context).Count);
            return Task.FromResult(1);
        }, before: context =>
        {
            if (hasProperties)
            {
                context.Properties.Set(s_own, "value");
            }
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Callback_WritesProperties_LeaderGetsThemAndTheNextContextFromThePoolDoesNot(bool yields)
    {
        var pipeline = Build();
        ResilienceContext? used = null;
        await Call(pipeline, "key", async context =>
        {
            used = context;
            if (yields)
            {
                await Task.Yield();
            }

            context.Properties.Set(s_written, "value");
            Assert.Equal("value", context.Properties.GetValue(s_written, ""));
            Assert.Equal("key", context.GetSingleFlightKey());
            return 1;
        }, after: context => Assert.Equal("value", context.Properties.GetValue(s_written, "")));

        Assert.Empty(Entries(used!));
        Assert.IsType<Dictionary<string, object?>>(Entries(used!));
    }

    [Fact]
    public async Task Callback_WritesNothing_ContextHasItsOwnDictionaryAgain()
    {
        var pipeline = Build();
        ResilienceContext? used = null;
        await Call(pipeline, "key", context =>
        {
            used = context;
            return Task.FromResult(1);
        });

        Assert.Empty(Entries(used!));
        Assert.IsType<Dictionary<string, object?>>(Entries(used!));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Callback_ExchangesTheProperties_WrittenOnesReachTheLeader(bool putsBack)
    {
        var pipeline = Build();
        ResilienceContext? used = null;
        await Call(pipeline, "key", context =>
        {
            used = context;
            context.Properties.SetProperties(new Dictionary<string, object?> { ["written"] = "value" }, out var old);
            if (putsBack)
            {
                old["written"] = "value";
                context.Properties.SetProperties(old, out _);
            }

            return Task.FromResult(1);
        }, after: context =>
        {
            Assert.Equal("value", context.Properties.GetValue(s_written, ""));
            Assert.Equal("key", context.GetSingleFlightKey());
        });

        Assert.Empty(Entries(used!));
    }

    [Fact]
    public async Task Callback_UsesThePropertiesAsADictionary_TheyBehaveLikeOne()
    {
        var pipeline = Build();
        var uses = new Action<IDictionary<string, object?>>[]
        {
            static entries => entries["new"] = 1,
            static entries => entries.Add("new", 1),
            static entries => entries.Add(new KeyValuePair<string, object?>("new", 1)),
            static entries => entries[ContextProperties.Key.Key] = "other",
            static entries => entries[ContextProperties.Key.Key] = entries[ContextProperties.Key.Key],
            static entries => Assert.True(entries.Remove(ContextProperties.Key.Key)),
            static entries => Assert.True(entries.Remove(entries.First())),
            static entries => Assert.False(entries.Remove("missing")),
            static entries => Assert.Throws<KeyNotFoundException>(() => entries["missing"]),
            static entries => Assert.Throws<ArgumentException>(() => entries.Add(ContextProperties.Key.Key, 1)),
            static entries => Assert.True(entries.ContainsKey(ContextProperties.Key.Key)),
            static entries => Assert.False(entries.ContainsKey("missing")),
            static entries => Assert.True(entries.Contains(entries.First())),
            static entries => Assert.False(entries.IsReadOnly),
            static entries => entries.Clear(),
        };
        foreach (var use in uses)
        {
            await Call(pipeline, "key", context =>
            {
                var entries = Entries(context);
                var copy = new Dictionary<string, object?> { [ContextProperties.Key.Key] = "key", [ContextProperties.Flight.Key] = entries };
                use(entries);
                use(copy);

                Assert.Equal(copy.Count, entries.Count);
                Assert.Equal(copy.Keys.Order(), entries.Keys.Order());
                Assert.Equal(copy.OrderBy(static entry => entry.Key).Select(static entry => entry.Key), entries.OrderBy(static entry => entry.Key).Select(static entry => entry.Key));
                Assert.Equal(copy.Values.Count, entries.Values.Count);
                var array = new KeyValuePair<string, object?>[copy.Count];
                entries.CopyTo(array, 0);
                Assert.Equal(copy.Keys.Order(), array.Select(static entry => entry.Key).Order());
                foreach (var (name, value) in copy)
                {
                    Assert.True(entries.TryGetValue(name, out var known));
                    Assert.Same(value, known is int ? value : known);
                }

                return Task.FromResult(1);
            });
        }
    }

    [Fact]
    public async Task Hedging_InsideTheFlight_SeesAndReturnsProperties()
    {
        var pipeline = new ResiliencePipelineBuilder<int>()
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<int>()))
            .AddHedging(new HedgingStrategyOptions<int> { Delay = TimeSpan.Zero, MaxHedgedAttempts = 1 })
            .Build();
        var attempts = 0;
        for (var i = 0; i < 3; i++)
        {
            attempts = 0;
            await Call(pipeline, "key", async context =>
            {
                Assert.Equal("key", context.GetSingleFlightKey());
                if (Interlocked.Increment(ref attempts) == 1)
                {
                    await new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously).Task.WaitAsync(context.CancellationToken);
                }

                context.Properties.Set(s_written, "value");
                return 1;
            }, after: context => Assert.Equal("value", context.Properties.GetValue(s_written, "")));
        }

        Assert.Equal(2, attempts);
    }

    private static IDictionary<string, object?> Entries(ResilienceContext context)
    {
        context.Properties.SetProperties(new Dictionary<string, object?>(), out var entries);
        context.Properties.SetProperties(entries, out _);
        return entries;
    }
}
