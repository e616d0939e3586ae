namespace Polly.SingleFlight.Extensions.Tests.Pipelines;

public sealed class ReloadingPipelineTests : ClientTest
{
    private const string Built = "built";

    private readonly LimitsSource _source = new();

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

    private ServiceProvider ProvideLimits(Func<int> count, Action<ResiliencePipelineBuilder<HttpResponseMessage>, SingleFlightHandlerContext> configure) =>
        Provide(services =>
        {
            services.Configure<Limits>("named", limits => limits.Count = count());
            services.AddSingleton<IOptionsChangeTokenSource<Limits>>(_source.Of("named"));
            services.AddSingleton<IOptionsChangeTokenSource<Limits>>(_source.Of("other"));
            AddClient(services).AddSingleFlightHandler("pipeline", configure);
        });
}
