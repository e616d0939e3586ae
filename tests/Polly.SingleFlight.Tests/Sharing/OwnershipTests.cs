namespace Polly.SingleFlight.Tests.Sharing;

/// <summary>S10 and the end of S6: a disposable result has one receiver, or is disposed.</summary>
public sealed partial class OwnershipTests : FlightTest
{
    private readonly Gate _gate = new();

    [Fact]
    public void Build_TypedBuilderOfDisposableWithoutCloner_FailsAndSaysWhatToDo()
    {
        var builder = new ResiliencePipelineBuilder<Stream>().AddSingleFlight();
        var asynchronous = new ResiliencePipelineBuilder<IAsyncDisposable>().AddSingleFlight(new SingleFlightStrategyOptions<IAsyncDisposable>());

        Assert.Contains("ResultCloner", Assert.Throws<InvalidOperationException>(() => builder.Build()).Message, StringComparison.Ordinal);
        Assert.Contains("ResultCloner", Assert.Throws<InvalidOperationException>(() => asynchronous.Build()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_HttpResponseMessagePipeline_IsRefusedWithHelp()
    {
        var builder = new ResiliencePipelineBuilder<HttpResponseMessage>().AddSingleFlight(new SingleFlightStrategyOptions());

        var exception = Assert.Throws<InvalidOperationException>(() => builder.Build());

        Assert.Contains("HttpResponseMessage", exception.Message, StringComparison.Ordinal);
        Assert.Contains("HttpSingleFlightStrategyOptions", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execute_DisposableResultOnUntypedPipeline_FailsAsOutcomeUnlessThereIsNoKey()
    {
        var pipeline = Build();
        var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
        context.SetSingleFlightKey("key");

        var outcome = await pipeline.ExecuteOutcomeAsync((_, _) => Outcome.FromResultAsValueTask<Stream>(new MemoryStream()), context, 0);
        Assert.Contains("ResultCloner", Assert.IsType<InvalidOperationException>(outcome.Exception).Message, StringComparison.Ordinal);

        context.SetSingleFlightKey(null);
        outcome = await pipeline.ExecuteOutcomeAsync((_, _) => Outcome.FromResultAsValueTask<Stream>(new MemoryStream()), context, 0);
        Assert.NotNull(outcome.Result);
        ResilienceContextPool.Shared.Return(context);
    }

    [Fact]
    public async Task Execute_DerivedDisposableOnTypedPipelineOfObject_FailsAsOutcome()
    {
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<object>()));

        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            pipeline.ExecuteSingleFlightAsync<object, Resource>("key", _ => new(new Resource("r"))).AsTask());
    }

    [Fact]
    public async Task Execute_DeclaredTypeIsNotDisposable_ValueIsShared()
    {
        var pipeline = Build();
        using var resource = new Resource("shared");
        var callers = Enumerable.Range(0, 3).Select(_ => Call<object>(pipeline, "key", async _ =>
        {
            await _gate.Opened;
            return resource;
        })).ToArray();
        await Probe.Reached(Joined, 2);
        _gate.Open();

        Assert.All(await Task.WhenAll(callers), value => Assert.Same(resource, value));
        Assert.Equal(0, resource.Disposals);
    }

    [Fact]
    public async Task ResultCloner_EachFollowerOwnsItsCopyAndTheLeaderTheOriginal()
    {
        var made = new List<Resource>();
        var pipeline = Build(Cloning(made));
        var original = new Resource("original");
        var callers = Enumerable.Range(0, 4).Select(_ => Disposing(pipeline, async _ =>
        {
            await _gate.Opened;
            return original;
        })).ToArray();
        await Probe.Reached(Joined, 3);
        _gate.Open();

        var received = await Task.WhenAll(callers);
        Assert.Same(original, received[0]);
        Assert.Equal(3, made.Count);
        Assert.Equal(made.ToHashSet(), received.Skip(1).ToHashSet());
        Assert.All(received, resource => Assert.Equal(1, resource.Disposals));
    }

    [Fact]
    public async Task ResultCloner_Throws_FailsThatFollowerOnly()
    {
        var clones = 0;
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<Resource>
        {
            ResultCloner = args => Interlocked.Increment(ref clones) == 2
                ? throw new FormatException()
                : new(new Resource("copy")),
        }));
        var callers = Enumerable.Range(0, 4).Select(_ => Disposing(pipeline, async _ =>
        {
            await _gate.Opened;
            return new Resource("original");
        })).ToArray();
        await Probe.Reached(Joined, 3);
        _gate.Open();

        await Assert.ThrowsAsync<FormatException>(() => callers[2]);
        Assert.Equal(["original", "copy", "copy"], (await Task.WhenAll(callers[0], callers[1], callers[3])).Select(resource => resource.Name));
    }

    [Fact]
    public async Task ResultCloner_ExceptionOrNull_IsNotCloned()
    {
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<Resource?> { ResultCloner = _ => throw new FormatException() }));
        var failing = new[] { Call(pipeline, "failure", Fail), Call(pipeline, "failure", Fail) };
        var empty = new[] { Call(pipeline, "null", Null), Call(pipeline, "null", Null) };
        await Probe.Reached(Joined, 2);
        _gate.Open();

        Assert.All(await Task.WhenAll(empty), Assert.Null);
        foreach (var caller in failing)
        {
            await Assert.ThrowsAsync<NotSupportedException>(() => caller);
        }

        async Task<Resource?> Fail(ResilienceContext context)
        {
            await _gate.Opened;
            throw new NotSupportedException();
        }

        async Task<Resource?> Null(ResilienceContext context)
        {
            await _gate.Opened;
            return null;
        }
    }

    [Fact]
    public async Task ResultCloner_SlowCopies_AreMadeInParallelAndBeforeTheLeaderGetsTheOriginal()
    {
        var all = new Gate();
        var copying = 0;
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<Resource>
        {
            ResultCloner = async args =>
            {
                Assert.Equal(0, args.Result.Disposals);
                if (Interlocked.Increment(ref copying) == 3)
                {
                    all.Open();
                }

                await all.Opened;
                Assert.Equal(0, args.Result.Disposals);
                return new Resource("copy");
            },
        }));
        var callers = Enumerable.Range(0, 4).Select(_ => Disposing(pipeline, async _ =>
        {
            await _gate.Opened;
            return new Resource("original");
        })).ToArray();
        await Probe.Reached(Joined, 3);
        _gate.Open();

        Assert.Equal(["original", "copy", "copy", "copy"], (await Task.WhenAll(callers)).Select(resource => resource.Name));
    }

    [Fact]
    public async Task ResultCloner_FollowerLeavesMeanwhile_ItsCopyIsDisposed()
    {
        var (copying, finish, disposed) = (new Gate(), new Gate(), new Gate());
        var copy = new Resource("copy", disposed);
        var pipeline = Build(Watched(new SingleFlightStrategyOptions<Resource>
        {
            ResultCloner = async _ =>
            {
                copying.Open();
                await finish.Opened;
                return copy;
            },
        }));
        using var source = new CancellationTokenSource();
        var leader = Disposing(pipeline, async _ =>
        {
            await _gate.Opened;
            return new Resource("original");
        });
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", _ => Task.FromResult(new Resource("not run")), source.Token);
        await Probe.Reached(Joined, 1);
        _gate.Open();
        await copying.Opened.Soon();
        await source.CancelAsync();
        await IsCanceledBy(follower, source.Token);
        finish.Open();

        await disposed.Opened.Soon();
        await leader;
        Assert.Equal(1, copy.Disposals);
    }

    private SingleFlightStrategyOptions<Resource> Cloning(List<Resource> made) => Watched(new SingleFlightStrategyOptions<Resource>
    {
        ResultCloner = args =>
        {
            Assert.Equal(0, args.Result.Disposals);
            var copy = new Resource("copy");
            lock (made)
            {
                made.Add(copy);
            }

            return new(copy);
        },
    });

    /// <summary>A caller that disposes what it receives, as its owner does.</summary>
    private static async Task<Resource> Disposing(ResiliencePipeline<Resource> pipeline, Func<ResilienceContext, Task<Resource>> callback)
    {
        var resource = await Call(pipeline, "key", callback);
        resource.Dispose();
        return resource;
    }

    internal class Resource(string name, Gate? disposed = null, bool throws = false) : IDisposable
    {
        private int _disposals;

        public string Name { get; } = name;

        public int Disposals => Volatile.Read(ref _disposals);

        public void Dispose()
        {
            GC.SuppressFinalize(this);
            Interlocked.Increment(ref _disposals);
            disposed?.Open();
            if (throws)
            {
                throw new InvalidOperationException("from Dispose");
            }
        }
    }

    internal sealed class AsyncResource(string name, Gate disposed) : Resource(name, disposed), IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Task.Yield();
            Dispose();
        }
    }
}
