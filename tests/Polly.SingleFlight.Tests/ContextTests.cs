namespace Polly.SingleFlight.Tests;

/// <summary>S2, S3 and I6: whose context, whose execution context, and for how long.</summary>
public sealed class ContextTests : FlightTest
{
    private static readonly ResiliencePropertyKey<string> s_tenant = new("tenant");
    private static readonly ResiliencePropertyKey<string> s_written = new("written");
    private static readonly ResiliencePropertyKey<string> s_request = new("Resilience.Http.RequestMessage");
    private static readonly AsyncLocal<string?> s_local = new();

    [Fact]
    public async Task Flight_LeaderReturnedAndItsContextWasReused_StillReadsItsOwnProperties()
    {
        var gate = new Gate();
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        var context = ResilienceContextPool.Shared.Get("operation", source.Token);
        context.SetSingleFlightKey("key");
        context.Properties.Set(s_tenant, "alice");
        var leader = pipeline.ExecuteAsync(async flight =>
        {
            await gate.Opened;
            return (flight.OperationKey, flight.Properties.GetValue(s_tenant, "none"));
        }, context).AsTask();
        var follower = Call(pipeline, "key", _ => Task.FromResult((default(string), "not run")));
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);

        // What a pool does with a context that was returned: the next caller gets the same object.
        context.Properties.Set(s_tenant, "bob");
        gate.Open();

        Assert.Equal(("operation", "alice"), await follower);
        Assert.Equal("bob", context.Properties.GetValue(s_tenant, "none"));
        Assert.False(context.Properties.TryGetValue(s_written, out _));
    }

    [Fact]
    public async Task Flight_LeaderLeft_NothingIsWrittenToItsContext()
    {
        var (gate, ended) = (new Gate(), new Gate());
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        var context = ResilienceContextPool.Shared.Get(source.Token);
        context.SetSingleFlightKey("key");
        var leader = pipeline.ExecuteAsync(async flight =>
        {
            await gate.Opened;
            flight.Properties.Set(s_written, "late");
            return 1;
        }, context).AsTask();
        var follower = Call(pipeline, "key", _ => Task.FromResult(2));
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(leader, source.Token);
        gate.Open();

        Assert.Equal(1, await follower);
        await Probe.Reached(Completed, 1);
        Assert.False(context.Properties.TryGetValue(s_written, out _));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Flight_PropertiesWritten_GoBackToTheLeaderOnly(bool synchronously)
    {
        var gate = new Gate();
        var pipeline = Build();
        string? leads = null, follows = null, request = null;
        object? key = null;
        var leader = Call(pipeline, "key", async flight =>
        {
            if (!synchronously)
            {
                await gate.Opened;
            }

            Assert.Equal("key", flight.GetSingleFlightKey());
            Assert.Equal("mine", flight.Properties.GetValue(s_request, "none"));
            flight.Properties.Set(s_written, "by the flight");
            flight.Properties.Set(s_request, "the flight's");
            flight.SetSingleFlightKey("changed");
            return 1;
        }, before: context => context.Properties.Set(s_request, "mine"), after: context =>
        {
            leads = context.Properties.GetValue(s_written, "none");
            request = context.Properties.GetValue(s_request, "none");
            key = context.GetSingleFlightKey();
        });
        if (!synchronously)
        {
            var follower = Call(pipeline, "key", _ => Task.FromResult(2), after: context => follows = context.Properties.GetValue(s_written, "none"));
            await Probe.Reached(Joined, 1);
            gate.Open();
            await follower;
            Assert.Equal("none", follows);
        }

        await leader;
        Assert.Equal(("by the flight", "mine", "key"), (leads, request, key));
    }

    [Fact]
    public async Task Callback_RunsUnderTheLeadersExecutionContextOnItsThread()
    {
        var pipeline = Build();
        s_local.Value = "leader";
        var thread = Environment.CurrentManagedThreadId;
        var seen = (Thread: 0, Local: default(string), AfterAwait: default(string));

        await Call(pipeline, "key", async _ =>
        {
            seen.Thread = Environment.CurrentManagedThreadId;
            seen.Local = s_local.Value;
            await Task.Yield();
            seen.AfterAwait = s_local.Value;
            return 1;
        });

        Assert.Equal((thread, "leader", "leader"), seen);
    }

    [Fact]
    public void Execute_SynchronousCallbackSetsAnAsyncLocal_CallerSeesItAsWithoutTheStrategy()
    {
        var pipeline = Build();
        s_local.Value = "before";

        pipeline.Execute(Execute, Keyed("key"));
        Assert.Equal("within", s_local.Value);

        // The same without a value of any kind in the execution context before.
        s_local.Value = null;
        pipeline.Execute(Execute, Keyed("key"));
        Assert.Equal("within", s_local.Value);

        static int Execute(ResilienceContext context)
        {
            s_local.Value = "within";
            return 1;
        }
    }

    [Fact]
    public async Task Follower_FlowSuppressed_StillGetsTheValue()
    {
        var gate = new Gate();
        var pipeline = Build();
        Task<int> leader, follower;
        using (ExecutionContext.SuppressFlow())
        {
            leader = Call(pipeline, "key", Hold);
            follower = Call(pipeline, "key", Hold);
        }

        await Probe.Reached(Joined, 1);
        gate.Open();
        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(leader, follower));

        async Task<int> Hold(ResilienceContext context)
        {
            await gate.Opened;
            return 1;
        }
    }

    [Fact]
    public async Task ElectedLeader_RunsUnderItsOwnExecutionContext()
    {
        using var source = new CancellationTokenSource();
        var pipeline = Build();
        var leader = Call(pipeline, "key", async _ =>
        {
            await Task.Delay(System.Threading.Timeout.Infinite, source.Token);
            return "never";
        }, source.Token);
        await Probe.Reached(Started, 1);
        s_local.Value = "follower";
        var follower = Call(pipeline, "key", _ => Task.FromResult(s_local.Value!));
        s_local.Value = "somebody else";
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();

        Assert.Equal("follower", await follower);
        await IsCanceledBy(leader, source.Token);
    }

    [Fact]
    public async Task ElectedLeader_ContinueOnCapturedContext_RunsOnItsSynchronizationContext()
    {
        using var source = new CancellationTokenSource();
        var pipeline = Build();
        var leader = Call(pipeline, "key", async _ =>
        {
            await Task.Delay(System.Threading.Timeout.Infinite, source.Token);
            return false;
        }, source.Token);
        await Probe.Reached(Started, 1);
        var captured = new PostingContext();
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, TestContext.Current.CancellationToken);
        context.SetSingleFlightKey("key");
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(captured);
        var follower = pipeline.ExecuteAsync(_ => new ValueTask<bool>(SynchronizationContext.Current == captured), context).AsTask();
        SynchronizationContext.SetSynchronizationContext(before);
        await Probe.Reached(Joined, 1);
        await source.CancelAsync();

        Assert.True(await follower.Soon());
        await IsCanceledBy(leader, source.Token);
        ResilienceContextPool.Shared.Return(context);
    }

    [Fact]
    public async Task Execute_LeadersPropertiesCannotBeRead_FailsThatCallAndLeavesNoFlight()
    {
        var pipeline = Build();
        var context = Keyed("key");
        context.Properties.SetProperties(new BrokenDictionary(), out _);
        context.SetSingleFlightKey("key");

        var outcome = await pipeline.ExecuteOutcomeAsync((_, _) => Outcome.FromResultAsValueTask(1), context, 0);

        Assert.IsType<NotSupportedException>(outcome.Exception);
        Assert.Equal(0, Group.ActiveFlights);
    }

    private static ResilienceContext Keyed(object key)
    {
        var context = ResilienceContextPool.Shared.Get(TestContext.Current.CancellationToken);
        context.SetSingleFlightKey(key);
        return context;
    }

    private sealed class PostingContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => ThreadPool.QueueUserWorkItem(_ =>
        {
            SetSynchronizationContext(this);
            d(state);
            SetSynchronizationContext(null);
        });
    }

    /// <summary>A dictionary that cannot be enumerated.</summary>
    private sealed class BrokenDictionary : IDictionary<string, object?>
    {
        private readonly Dictionary<string, object?> _items = [];

        public ICollection<string> Keys => throw new NotSupportedException();

        public ICollection<object?> Values => throw new NotSupportedException();

        public int Count => _items.Count;

        public bool IsReadOnly => false;

        public object? this[string key]
        {
            get => _items[key];
            set => _items[key] = value;
        }

        public void Add(string key, object? value) => _items.Add(key, value);

        public void Add(KeyValuePair<string, object?> item) => _items.Add(item.Key, item.Value);

        public bool Contains(KeyValuePair<string, object?> item) => _items.Contains(item);

        public bool ContainsKey(string key) => _items.ContainsKey(key);

        public void CopyTo(KeyValuePair<string, object?>[] array, int arrayIndex) => throw new NotSupportedException();

        public bool Remove(KeyValuePair<string, object?> item) => _items.Remove(item.Key);

        public bool TryGetValue(string key, out object? value) => _items.TryGetValue(key, out value);

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => throw new NotSupportedException();

        public bool Remove(string key) => _items.Remove(key);

        public void Clear() => _items.Clear();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
