using System.Runtime.CompilerServices;

namespace Polly.SingleFlight.Extensions.Tests.Pipelines;

/// <summary>How long pipelines live: longer than handlers and scopes, and as long as anything runs in them.</summary>
public sealed class PipelineLifetimeTests : ClientTest
{
    private const string Built = "built";

    private readonly LimitsSource _source = new();

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
    public async Task Generation_ThatWasReplaced_IsDisposedAfterItsLastFlightOnly()
    {
        var (built, idle) = (0, 0);
        var provider = Provide(services =>
        {
            services.AddSingleton<IOptionsChangeTokenSource<Limits>>(_source.Of("named"));
            AddClient(services).AddSingleFlightHandler("pipeline", (pipeline, context) =>
            {
                var generation = ++built;
                context.EnableReloads<Limits>("named");
                var options = new HttpSingleFlightStrategyOptions { Group = context.Group };
                Watch(options);
                pipeline.AddSingleFlight(options);
                pipeline.AddStrategy(_ => new Observing(static _ => { }, () => Probe.Hit($"disposed {generation}")), new Plain());
            });
            AddClient(services, "idle").AddSingleFlightHandler("pipeline", (pipeline, context) =>
            {
                var generation = ++idle;
                context.EnableReloads<Limits>("named");
                pipeline.AddStrategy(_ => new Observing(static _ => { }, () => Probe.Hit($"idle disposed {generation}")), new Plain());
            });
        });
        using var idleClient = Client(provider, "idle");

        await FlyAndReload(provider);

        await Collect("disposed 1");
        Assert.Equal(0, Probe["disposed 5"]);       // the current one
        Assert.Equal(5, built);
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

        // By the time that four generations of an idle client have been disposed, it would have been this one's turn.
        for (var generation = 1; generation <= 4; generation++)
        {
            await Collect($"idle disposed {generation}");
            if (generation < 4)
            {
                _source.Change("named");
            }
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
}
