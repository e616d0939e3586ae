using Microsoft.Extensions.Time.Testing;
using Polly.CircuitBreaker;
using Polly.Hedging;
using Polly.Retry;
using Polly.Timeout;

namespace Polly.SingleFlight.Tests;

/// <summary>S13: what single flight does together with each strategy of Polly, inside and outside.</summary>
public sealed class CompositionTests : FlightTest
{
    private readonly Gate _gate = new();
    private int _runs;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TimeoutOutside_IsOneCallersPatience(bool leaderIsImpatient)
    {
        var patient = Pipeline(builder => builder.AddTimeout(TimeSpan.FromSeconds(100)).AddSingleFlight(Watched()));
        var impatient = Pipeline(builder => builder.AddTimeout(TimeSpan.FromSeconds(1)).AddSingleFlight(Watched()));
        var leader = Call(leaderIsImpatient ? impatient : patient, "key", Hold);
        await Probe.Reached(Started, 1);
        var follower = Call(leaderIsImpatient ? patient : impatient, "key", Hold);
        await Probe.Reached(Joined, 1);

        Clock.Advance(TimeSpan.FromSeconds(1));

        await Assert.ThrowsAsync<TimeoutRejectedException>(() => leaderIsImpatient ? leader : follower);
        _gate.Open();
        Assert.Equal(1, await (leaderIsImpatient ? follower : leader));
        Assert.Equal(1, _runs);
    }

    [Fact]
    public async Task TimeoutOutside_EverybodyTimesOut_CallbackIsCancelled()
    {
        var pipeline = Pipeline(builder => builder.AddTimeout(TimeSpan.FromSeconds(1)).AddSingleFlight(Watched()));
        var canceled = new Gate();
        var callers = Enumerable.Range(0, 3).Select(_ => Call(pipeline, "key", async context =>
        {
            using var registration = context.CancellationToken.Register(canceled.Open);
            await canceled.Opened;
            return 1;
        })).ToArray();
        await Probe.Reached(Joined, 2);
        Clock.Advance(TimeSpan.FromSeconds(1));

        foreach (var caller in callers)
        {
            await Assert.ThrowsAsync<TimeoutRejectedException>(() => caller);
        }

        await canceled.Opened.Soon();
    }

    [Fact]
    public async Task TimeoutOutside_PooledTokenSources_StrangersAreNeverCancelled()
    {
        // Polly's timeout hands the same token source to one execution after the other.
        var pipeline = Pipeline(builder => builder.AddTimeout(TimeSpan.FromSeconds(1)).AddSingleFlight(Watched()));
        for (var round = 0; round < 200; round++)
        {
            var gate = new Gate();
            var joined = Probe[Joined];
            var callers = Enumerable.Range(0, 3).Select(_ => Call(pipeline, "key", async _ =>
            {
                await gate.Opened;
                return round;
            })).ToArray();
            await Probe.Reached(Joined, joined + 2);
            gate.Open();
            Assert.Equal([round, round, round], await Task.WhenAll(callers));
        }

        Assert.Equal(0, Probe[Abandoned]);
    }

    [Fact]
    public async Task TimeoutInside_IsTheFlightsBudget()
    {
        var pipeline = Pipeline(builder => builder.AddSingleFlight(Watched()).AddTimeout(TimeSpan.FromSeconds(1)));
        var callers = Enumerable.Range(0, 3).Select(_ => Call(pipeline, "key", async context =>
        {
            await Task.Delay(System.Threading.Timeout.Infinite, context.CancellationToken);
            return 1;
        })).ToArray();
        await Probe.Reached(Joined, 2);
        Clock.Advance(TimeSpan.FromSeconds(1));

        var exceptions = new HashSet<Exception>();
        foreach (var caller in callers)
        {
            exceptions.Add(await Assert.ThrowsAsync<TimeoutRejectedException>(() => caller));
        }

        Assert.Single(exceptions);
    }

    [Fact]
    public async Task RetryInside_IsOneLoopForAll()
    {
        var pipeline = Pipeline(builder => builder.AddSingleFlight(Watched()).AddRetry(new RetryStrategyOptions { MaxRetryAttempts = 3, Delay = TimeSpan.Zero }));
        var callers = Enumerable.Range(0, 100).Select(_ => Call(pipeline, "key", async _ =>
        {
            await _gate.Opened;
            return Interlocked.Increment(ref _runs) < 3 ? throw new InvalidOperationException() : 1;
        })).ToArray();
        await Probe.Reached(Joined, 99);
        _gate.Open();

        Assert.All(await Task.WhenAll(callers), value => Assert.Equal(1, value));
        Assert.Equal(3, _runs);
    }

    [Fact]
    public async Task RetryOutside_CoalescesEachAttemptAgain()
    {
        var pipeline = Pipeline(builder => builder.AddRetry(new RetryStrategyOptions { Delay = TimeSpan.Zero }).AddSingleFlight(Watched()));
        var (first, second) = (new Gate(), new Gate());
        var callers = Enumerable.Range(0, 10).Select(_ => Call(pipeline, "key", async _ =>
        {
            if (Interlocked.Increment(ref _runs) == 1)
            {
                await first.Opened;
                throw new InvalidOperationException();
            }

            await second.Opened;
            return 1;
        })).ToArray();
        await Probe.Reached(Joined, 9);
        first.Open();
        await Probe.Reached(Joined, 18);
        second.Open();

        Assert.All(await Task.WhenAll(callers), value => Assert.Equal(1, value));
        Assert.Equal(2, _runs);
    }

    [Fact]
    public async Task RetryOutside_DisposesTheResultsItHandled_NobodyElsesAreTouched()
    {
        var options = Watched(new SingleFlightStrategyOptions<Sharing.OwnershipTests.Resource>
        {
            ResultCloner = args => new(new Sharing.OwnershipTests.Resource(args.Result.Name)),
        });
        var pipeline = new ResiliencePipelineBuilder<Sharing.OwnershipTests.Resource>()
            .AddRetry(new RetryStrategyOptions<Sharing.OwnershipTests.Resource>
            {
                ShouldHandle = args => new(args.Outcome.Result?.Name == "bad"),
                Delay = TimeSpan.Zero,
            })
            .AddSingleFlight(options)
            .Build();
        var callers = Enumerable.Range(0, 5).Select(_ => Call(pipeline, "key", async _ =>
        {
            await _gate.Opened;
            return new Sharing.OwnershipTests.Resource(Interlocked.Increment(ref _runs) == 1 ? "bad" : "good");
        })).ToArray();
        await Probe.Reached(Joined, 4);
        _gate.Open();

        Assert.All(await Task.WhenAll(callers), resource => Assert.Equal(("good", 0), (resource.Name, resource.Disposals)));
    }

    [Fact]
    public async Task CircuitBreakerInside_CountsFlights()
    {
        var breaker = new CircuitBreakerStateProvider();
        var pipeline = Pipeline(builder => builder.AddSingleFlight(Watched()).AddCircuitBreaker(new CircuitBreakerStrategyOptions
        {
            MinimumThroughput = 2,
            FailureRatio = 1,
            StateProvider = breaker,
        }));
        var callers = Enumerable.Range(0, 50).Select(_ => Call(pipeline, "key", async _ =>
        {
            await _gate.Opened;
            return _runs == 0 ? throw new InvalidOperationException() : 1;
        })).ToArray();
        await Probe.Reached(Joined, 49);
        _gate.Open();
        foreach (var caller in callers)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => caller);
        }

        // Fifty callers failed, which is one failure to the breaker.
        Assert.Equal(CircuitState.Closed, breaker.CircuitState);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Call<int>(pipeline, "key", _ => throw new InvalidOperationException()));
        Assert.Equal(CircuitState.Open, breaker.CircuitState);
        await Assert.ThrowsAsync<BrokenCircuitException>(() => Call(pipeline, "key", _ => Task.FromResult(1)));
    }

    [Fact]
    public async Task HedgingInside_HedgesOnceForAll()
    {
        var clock = new SignallingClock();
        var builder = new ResiliencePipelineBuilder<int> { TimeProvider = clock };
        var pipeline = builder.AddSingleFlight(Watched(new SingleFlightStrategyOptions<int>()))
            .AddHedging(new HedgingStrategyOptions<int> { Delay = TimeSpan.FromSeconds(1), MaxHedgedAttempts = 1 })
            .Build();
        var callers = Enumerable.Range(0, 5).Select(_ => Call(pipeline, "key", async context =>
        {
            if (Interlocked.Increment(ref _runs) == 1)
            {
                await Task.Delay(System.Threading.Timeout.Infinite, context.CancellationToken);
            }

            return 2;
        })).ToArray();
        await Probe.Reached(Joined, 4);
        await clock.TimersSet(1);
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.All(await Task.WhenAll(callers), value => Assert.Equal(2, value));
        Assert.Equal(2, _runs);
    }

    [Fact]
    public async Task SingleFlightInside_AnotherSingleFlight_KeyIsPassedOn()
    {
        var inner = new SingleFlightGroup();
        var pipeline = Pipeline(builder => builder.AddSingleFlight(Watched()).AddSingleFlight(new SingleFlightStrategyOptions { Group = inner }));
        var leader = Call(pipeline, "key", Hold);
        await Probe.Reached(Started, 1);

        Assert.Equal("key", Assert.Single(inner.GetFlights()).Key);
        _gate.Open();
        Assert.Equal(1, await leader);
        Assert.Empty(inner.GetFlights());
    }

    private ResiliencePipeline Pipeline(Action<ResiliencePipelineBuilder> configure)
    {
        var builder = new ResiliencePipelineBuilder { TimeProvider = Clock };
        configure(builder);
        return builder.Build();
    }

    private async Task<int> Hold(ResilienceContext context)
    {
        Interlocked.Increment(ref _runs);
        await _gate.Opened;
        return 1;
    }
}
