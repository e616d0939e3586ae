using System.Runtime.CompilerServices;
using Microsoft.Extensions.Primitives;

namespace Polly.SingleFlight.Extensions.Tests.Pipelines;

public sealed class ReloadingPipelineTests : ClientTest
{
    private const string Built = "built";

    private readonly Source _source = new();

    [Fact]
    public async Task Pipeline_OfManyClientsAndScopes_IsBuiltOnceWhenFirstNeeded()
    {
        var provider = ProvideClient(client => client.AddSingleFlightHandler("pipeline", (_, _) => Probe.Hit(Built)));
        Assert.Equal(0, Probe[Built]);
        Gate.Open();

        for (var i = 0; i < 3; i++)
        {
            await using var scope = provider.CreateAsyncScope();
            await Client(scope.ServiceProvider).GetStringAsync(Address).Soon();
        }

        Assert.Equal(1, Probe[Built]);
    }

    [Fact]
    public async Task Pipeline_OfChainsAfterRotation_IsTheSame()
    {
        var provider = ProvideClient(static client => client.AddSingleFlight());
        await using var firstScope = provider.CreateAsyncScope();
        await using var secondScope = provider.CreateAsyncScope();
        using var first = new HttpClient(NewChain(firstScope.ServiceProvider));
        using var second = new HttpClient(NewChain(secondScope.ServiceProvider));

        var callers = await Fly(first, second, first, second, Client(provider));
        Gate.Open();

        Assert.Single((await Task.WhenAll(callers)).Distinct());
        Assert.Equal(1, Upstream.Calls);
    }

    [Fact]
    public void Pipeline_ThatCannotBeBuilt_FailsTheClientAndWatchesNothing()
    {
        var provider = ProvideLimits(static () => 0, (_, context) =>
        {
            Probe.Hit(Built);
            context.EnableReloads<Limits>("named");
            throw new InvalidOperationException("no pipeline");
        });

        Assert.Equal("no pipeline", Assert.Throws<InvalidOperationException>(() => Client(provider)).Message);
        _source.Change("named");

        Assert.Equal(1, Probe[Built]);
    }

    [Fact]
    public async Task Context_OfPipeline_HasServicesOptionsAndGroup()
    {
        SingleFlightHandlerContext? seen = null;
        var groups = new List<SingleFlightGroup>();
        var provider = Provide(services =>
        {
            services.Configure<Limits>(static limits => limits.Count = 1);
            services.Configure<Limits>("named", static limits => limits.Count = 2);
            services.AddSingleton(this);
            AddClient(services).AddSingleFlightHandler("a", Configure).AddSingleFlightHandler("b", Configure);
            AddClient(services, "other").AddSingleFlightHandler("a", Configure);
        });
        Gate.Open();
        await Client(provider).GetStringAsync(Address).Soon();
        await Client(provider, "other").GetStringAsync(Address).Soon();

        Assert.Equal(3, groups.Distinct().Count());
        Assert.Same(this, seen!.ServiceProvider.GetRequiredService<ReloadingPipelineTests>());
        Assert.Equal(1, seen.GetOptions<Limits>().Count);
        Assert.Equal(2, seen.GetOptions<Limits>("named").Count);

        void Configure(ResiliencePipelineBuilder<HttpResponseMessage> pipeline, SingleFlightHandlerContext context)
        {
            seen = context;
            groups.Add(context.Group);
            Assert.Equal(("a" == pipeline.Name || "b" == pipeline.Name, true), (true, pipeline.InstanceName is Prices or "other"));
        }
    }

    [Fact]
    public async Task Options_WatchedChanged_BuildAgainWithTheSameGroup()
    {
        var (limits, groups) = (new List<int>(), new List<SingleFlightGroup>());
        var count = 1;
        var provider = ProvideLimits(() => count, (pipeline, context) =>
        {
            context.EnableReloads<Limits>("named");
            context.EnableReloads<Limits>("named");
            limits.Add(context.GetOptions<Limits>("named").Count);
            groups.Add(context.Group);
        });
        using var client = Client(provider);

        count = 2;
        _source.Change("other");
        _source.Change("named");
        Gate.Open();
        await client.GetStringAsync(Address).Soon();

        Assert.Equal([1, 2], limits);
        Assert.Same(groups[0], groups[1]);
    }

    [Fact]
    public async Task Options_WatchedChangedDuringTheBuild_BuildAgain()
    {
        var limits = new List<int>();
        var count = 1;
        var provider = ProvideLimits(() => count, (pipeline, context) =>
        {
            context.EnableReloads<Limits>("named");
            limits.Add(context.GetOptions<Limits>("named").Count);
            if (count == 1)
            {
                count = 2;
                _source.Change("named");
            }
        });
        Gate.Open();

        await Client(provider).GetStringAsync(Address).Soon();

        Assert.Equal([1, 2], limits);
    }

    [Fact]
    public async Task Pipeline_ThatCannotBeBuiltAgain_StaysAndIsTriedAtTheNextChange()
    {
        var (isBroken, executed) = (false, new List<int>());
        var built = 0;
        var provider = ProvideLimits(static () => 0, (pipeline, context) =>
        {
            var generation = ++built;
            context.EnableReloads<Limits>("named");
            pipeline.AddStrategy(_ => new Observing(_ => executed.Add(generation), () => Probe.Hit("disposed")), new Plain());
            if (isBroken)
            {
                throw new InvalidOperationException("the options are at odds");
            }
        });
        Gate.Open();
        using var client = Client(provider);

        isBroken = true;
        _source.Change("named");
        await client.GetStringAsync(Address).Soon();
        isBroken = false;
        _source.Change("named");
        await client.GetStringAsync(Address).Soon();

        Assert.Equal([1, 3], executed);
        var error = Assert.Single(Logs.Of(LogLevel.Error));
        Assert.Contains("the options are at odds", error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_ChangedFromManyThreads_EndWithTheLastValue()
    {
        var (count, last) = (0, -1);
        var provider = ProvideLimits(() => Volatile.Read(ref count), (pipeline, context) =>
        {
            context.EnableReloads<Limits>("named");
            Volatile.Write(ref last, context.GetOptions<Limits>("named").Count);
        });
        using var client = Client(provider);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 50; i++)
            {
                Interlocked.Increment(ref count);
                _source.Change("named");
            }
        }))).Soon();

        Assert.Equal(400, Volatile.Read(ref last));
    }

    [Fact]
    public async Task Generation_ThatWasReplaced_IsDisposedAfterItsLastFlightOnly()
    {
        var built = 0;
        var provider = ProvideLimits(static () => 0, (pipeline, context) =>
        {
            var generation = ++built;
            context.EnableReloads<Limits>("named");
            var options = new HttpSingleFlightStrategyOptions { Group = context.Group };
            Watch(options);
            pipeline.AddSingleFlight(options);
            pipeline.AddStrategy(_ => new Observing(static _ => { }, () => Probe.Hit($"disposed {generation}")), new Plain());
        });
        await FlyAndReload(provider);

        await Collect($"disposed 1");
        Assert.Equal(0, Probe["disposed 2"]);
    }

    /// <summary>The leader came through the old pipeline and leaves; who is left came through the new one.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task FlyAndReload(IServiceProvider provider)
    {
        using var client = Client(provider);
        using var source = new CancellationTokenSource();
        var leader = client.GetStringAsync(Address, source.Token).Soon();
        await Probe.Reached(Started, 1);
        _source.Change("named");
        var follower = await Join(client);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);

        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Run(static () => { });
        }

        Assert.Equal(0, Probe["disposed 1"]);
        Gate.Open();
        Assert.NotEmpty(await follower);
    }

    private async Task Collect(string name)
    {
        for (var i = 0; i < 100 && Probe[name] == 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Run(static () => { });
        }

        await Probe.Reached(name, 1);
    }

    private ServiceProvider ProvideLimits(Func<int> count, Action<ResiliencePipelineBuilder<HttpResponseMessage>, SingleFlightHandlerContext> configure) =>
        Provide(services =>
        {
            services.Configure<Limits>("named", limits => limits.Count = count());
            services.AddSingleton<IOptionsChangeTokenSource<Limits>>(_source.Of("named"));
            services.AddSingleton<IOptionsChangeTokenSource<Limits>>(_source.Of("other"));
            AddClient(services).AddSingleFlightHandler("pipeline", configure);
        });

    /// <summary>A further chain of handlers, as the factory makes one when the last has expired.</summary>
    private static HttpMessageHandler NewChain(IServiceProvider services)
    {
        var builder = services.GetRequiredService<Microsoft.Extensions.Http.HttpMessageHandlerBuilder>();
        builder.Name = Prices;
        foreach (var action in services.GetRequiredService<IOptionsMonitor<Microsoft.Extensions.Http.HttpClientFactoryOptions>>().Get(Prices).HttpMessageHandlerBuilderActions)
        {
            action(builder);
        }

        return builder.Build();
    }

    private sealed class Limits
    {
        public int Count { get; set; }
    }

    private sealed class Source
    {
        private readonly Dictionary<string, Token> _tokens = [];

        public IOptionsChangeTokenSource<Limits> Of(string name) => _tokens[name] = new Token(name);

        public void Change(string name) => _tokens[name].Change();

        private sealed class Token(string name) : IOptionsChangeTokenSource<Limits>
        {
            private ConfigurationReloadToken _token = new();

            public string Name => name;

            public IChangeToken GetChangeToken() => Volatile.Read(ref _token);

            public void Change() => Interlocked.Exchange(ref _token, new ConfigurationReloadToken()).OnReload();
        }
    }
}
