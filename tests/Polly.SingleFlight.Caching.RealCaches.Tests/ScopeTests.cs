using Microsoft.Extensions.Primitives;
using Polly.Registry;

namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>Whose entries are whose.</summary>
public class ScopeTests(RedisServer redis) : RealCacheTest(redis)
{
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task DifferentScopes_NeverMeet(CacheKind kind)
    {
        var node = NewNode(kind);
        var first = Cached(node, Counted<string>(configure: options => options.Scope = "a" + Prefix));
        var second = Cached(node, Counted<string>(configure: options => options.Scope = "b" + Prefix), group: new SingleFlightGroup());
        await Read(first, "k", "a");

        Assert.Equal("b", await Read(second, "k", "b"));
        Assert.Equal("a", await Read(first, "k", "unused"));
    }

    /// <summary>A part of one that is a part of the other must not make them one.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ScopesVersionsAndNamesThatSpellAlike_NeverMeet(CacheKind kind)
    {
        var node = NewNode(kind);
        (string? Scope, string? Version, string? Name)[] all =
        [
            ("a", "b", null), ("a", "bc", null), ("ab", "", null), ("ab", null, null), ("a", null, null), (null, null, "a"), (null, "b", "a"), (null, null, "ab"), ("1:a", null, null), ("s1:a", null, null),
        ];
        for (var i = 0; i < all.Length; i++)
        {
            var (scope, version, name) = all[i];
            var pipeline = Cached(node, Counted<string>(configure: options => (options.Scope, options.Version) = (scope is null ? null : Prefix + scope, version)), name: name ?? "other", group: new SingleFlightGroup());
            Assert.Equal($"value {i}", await Read(pipeline, "k", $"value {i}"));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public void SameScope_OtherOptions_IsRefusedAndSaysWhy(CacheKind kind)
    {
        var node = NewNode(kind);
        var first = Cached(node, Counted<string>());

        var refusal = Assert.Throws<InvalidOperationException>(() => Cached(node, Counted<string>(configure: options => options.StaleOnError = s_minute)));

        Assert.Contains(nameof(CacheStrategyOptions<string>.Scope), refusal.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(CacheStrategyOptions<string>.StaleOnError), refusal.Message, StringComparison.Ordinal);
        GC.KeepAlive(first);
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task SameScope_SameOptions_ShareEntries(CacheKind kind)
    {
        var node = NewNode(kind);
        var first = Cached<string>(node);
        var second = Cached<string>(node, group: new SingleFlightGroup());
        await Read(first, "k", "value");

        Assert.Equal("value", await Read(second, "k", "unused"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task UnnamedPipelines_AreApart(CacheKind kind)
    {
        var node = NewNode(kind);
        ResiliencePipeline<string> Unnamed() => node.Add(new ResiliencePipelineBuilder<string> { TimeProvider = Clock }, Counted<string>()).AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>())).Build();
        await Read(Unnamed(), "k", "first");

        Assert.Equal("second", await Read(Unnamed(), "k", "second"));
    }

    /// <summary>A reload may change what two live pipelines may not differ in, and entries outlive it.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Reload_WithOtherOptions_IsNotRefused_AndFindsTheEntries(CacheKind kind)
    {
        var node = NewNode(kind);
        var stale = TimeSpan.Zero;
        using var reload = new CancellationTokenSource();
        var reloads = new Queue<CancellationTokenSource>([reload, new CancellationTokenSource()]);
        await using var registry = new ResiliencePipelineRegistry<string>(new ResiliencePipelineRegistryOptions<string>
        {
            BuilderFactory = () => new ResiliencePipelineBuilder { TimeProvider = Clock, TelemetryListener = Listener },
        });
        Assert.True(registry.TryAddBuilder<string>("pipeline" + Prefix, (builder, context) =>
        {
            context.AddReloadToken(reloads.Dequeue().Token);
            Probe.Hit("built");
            node.Add(builder, Counted<string>(configure: options => options.StaleOnError = stale)).AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()));
        }));
        var pipeline = registry.GetPipeline<string>("pipeline" + Prefix);
        await Read(pipeline, "k", "value");

        stale = 60 * s_minute;
        reload.Cancel();
        await Probe.Reached("built", 2);

        Assert.Equal("value", await Read(pipeline, "k", "unused"));
        Clock.Advance(11 * s_minute);
        await Read(pipeline, "k", "renewed");
        Clock.Advance(11 * s_minute);
        Assert.Equal("renewed", await Fail(pipeline, "k"));
        Assert.Equal(0, Listener.Count("ReloadFailed"));
    }

    /// <summary>The same through the services, with options from configuration that changes.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task ReloadOfConfiguration_InServices_IsNotRefused(CacheKind kind)
    {
        var node = NewNode(kind);
        using var source = new Source();
        var services = new ServiceCollection();
        services.AddSingleton<Microsoft.Extensions.Options.IOptionsChangeTokenSource<Settings>>(source);
        services.AddOptions<Settings>().Configure(settings => settings.Lifetime = source.Lifetime);
        services.AddResiliencePipeline<string, string>("pipeline" + Prefix, (builder, context) =>
        {
            context.EnableReloads<Settings>();
            builder.TimeProvider = Clock;
            Probe.Hit("built");
            node.Add(builder, new CacheStrategyOptions<string> { Lifetime = context.GetOptions<Settings>().Lifetime })
                .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()));
        });
        await using var provider = services.BuildServiceProvider();
        var pipeline = provider.GetRequiredService<ResiliencePipelineProvider<string>>().GetPipeline<string>("pipeline" + Prefix);
        await Read(pipeline, "k", "value");

        source.Change(60 * s_minute);
        await Probe.Reached("built", 2);

        Assert.Equal("value", await Read(pipeline, "k", "unused"));
        Assert.Equal("long", await Read(pipeline, "l", "long"));
        Clock.Advance(30 * s_minute);
        Assert.Equal("long", await Read(pipeline, "l", "unused"));
    }

    /// <summary>An application removes by its own tags.</summary>
    [Theory]
    [MemberData(nameof(Kinds.AllHybrid), MemberType = typeof(Kinds))]
    public async Task Tags_ArePassedThrough(CacheKind kind)
    {
        var node = NewNode(kind);
        var pipeline = Cached(node, Counted<string>(configure: options => options.Tags = static args => [$"user:{args.Key}"]));
        await Read(pipeline, "a", "old");
        await Read(pipeline, "b", "old");

        await node.Hybrid!.RemoveByTagAsync("user:a");

        Assert.Equal("new", await Read(pipeline, "a", "new"));
        Assert.Equal("new", await Read(pipeline, "a", "unused"));
        Assert.Equal("old", await Read(pipeline, "b", "unused"));
    }

    [Fact]
    public async Task Size_IsWhatTheOptionsSay()
    {
        using var memory = new MemoryCache(new MemoryCacheOptions { TrackStatistics = true, SizeLimit = 1000 });
        var pipeline = Builder<string>()
            .AddCache(memory, Counted<string>(configure: options => options.Size = static value => value.Length))
            .AddSingleFlight(Watched(new SingleFlightStrategyOptions<string>()))
            .Build();

        await Read(pipeline, "k", new string('x', 123));

        Assert.Equal(123, memory.GetCurrentStatistics()!.CurrentEstimatedSize);
    }

    private sealed class Settings
    {
        public TimeSpan Lifetime { get; set; }
    }

    private sealed class Source : Microsoft.Extensions.Options.IOptionsChangeTokenSource<Settings>, IDisposable
    {
        private CancellationTokenSource _change = new();

        public string? Name => Microsoft.Extensions.Options.Options.DefaultName;

        public TimeSpan Lifetime { get; private set; } = 10 * s_minute;

        public IChangeToken GetChangeToken() => new CancellationChangeToken(_change.Token);

        public void Change(TimeSpan lifetime)
        {
            Lifetime = lifetime;
            Interlocked.Exchange(ref _change, new CancellationTokenSource()).Cancel();
        }

        public void Dispose() => _change.Dispose();
    }
}
