namespace Polly.SingleFlight.Tests;

/// <summary>
/// The invariants at the top of the flight type, one named test each. tests/mutations breaks each on purpose, to see its tests fail.
/// </summary>
public sealed class InvariantTests : FlightTest
{
    private readonly Gate _gate = new();

    [Fact]
    public async Task I1_LateFlightEnds_SuccessorKeepsItsEntry()
    {
        var pipeline = Build();
        var old = Call(pipeline, "key", _ => Hold(_gate, 1));
        await Probe.Reached(Started, 1);
        Group.Forget("key");
        var end = new Gate();
        var successor = Call(pipeline, "key", _ => Hold(end, 2));
        await Probe.Reached(Started, 2);
        _gate.Open();
        Assert.Equal(1, await old);

        Assert.Equal(1, Group.ActiveFlights);
        var joins = Call(pipeline, "key", _ => Task.FromResult(3));
        await Probe.Reached(Joined, 1);
        end.Open();
        Assert.Equal(new[] { 2, 2 }, await Task.WhenAll(successor, joins));
    }

    [Fact]
    public async Task I2_AbandonedFlightWhoseCallbackRunsOn_IsNotJoined()
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        var old = Call(pipeline, "key", _ => Hold(_gate, 1), source.Token);
        await Probe.Reached(Started, 1);
        await source.CancelAsync();
        await IsCanceledBy(old, source.Token);

        Assert.Equal(2, await Call(pipeline, "key", _ => Task.FromResult(2)));
        Assert.Equal(0, Probe[Joined]);
        _gate.Open();
    }

    /// <summary>The followers hold the outcome while the leader still waits for an event callback.</summary>
    [Fact]
    public async Task I3_FollowerHoldsTheOutcome_NoLaterCallReceivesIt_BeforeTheLeaderHasIt()
    {
        var end = new Gate();
        var options = Watched();
        options.OnFlightCompleted += async _ => await end.Opened;
        var pipeline = Build(options);
        var leader = Call(pipeline, "key", _ => Hold(_gate, 1));
        await Probe.Reached(Started, 1);
        var follower = Call(pipeline, "key", _ => Task.FromResult(0));
        await Probe.Reached(Joined, 1);
        _gate.Open();
        Assert.Equal(1, await follower);

        var later = Call(pipeline, "key", _ => Task.FromResult(2));
        end.Open();
        Assert.Equal((1, 2), (await leader, await later));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task I3_CallerHoldsTheOutcome_NoLaterCallReceivesIt(bool asLeader)
    {
        var pipeline = Build();
        for (var round = 0; round < 200; round++)
        {
            var gate = new Gate();
            var started = Probe[Started];
            var joined = Probe[Joined];
            var leader = Call(pipeline, "key", _ => Hold(gate, 1));
            await Probe.Reached(Started, started + 1);
            var follower = Call(pipeline, "key", _ => Task.FromResult(2));
            await Probe.Reached(Joined, joined + 1);
            var again = Again(asLeader ? leader : follower);
            gate.Open();

            Assert.Equal(3, await again);
            await Task.WhenAll(leader, follower);
        }

        async Task<int> Again(Task<int> holder)
        {
            Assert.Equal(1, await holder.ConfigureAwait(false));
            return await Call(pipeline, "key", _ => Task.FromResult(3));
        }
    }

    [Fact]
    public async Task I4_AllButOneLeave_CallbackIsNotCancelledUntilTheLastLeaves()
    {
        var pipeline = Build();
        var sources = Enumerable.Range(0, 4).Select(_ => new CancellationTokenSource()).ToArray();
        var flightToken = CancellationToken.None;
        var canceled = new Gate();
        var callers = new List<Task<int>>();
        foreach (var source in sources)
        {
            callers.Add(Call(pipeline, "key", async context =>
            {
                flightToken = context.CancellationToken;
                using var registration = flightToken.Register(canceled.Open);
                await _gate.Opened;
                return 1;
            }, source.Token));
            await (callers.Count == 1 ? Probe.Reached(Started, 1) : Probe.Reached(Joined, callers.Count - 1));
        }

        for (var i = 0; i < 3; i++)
        {
            await sources[i].CancelAsync();
            await IsCanceledBy(callers[i], sources[i].Token);
            Assert.False(flightToken.IsCancellationRequested);
            Assert.Equal(3 - i, Assert.Single(Group.GetFlights()).CallerCount);
        }

        await sources[3].CancelAsync();
        await IsCanceledBy(callers[3], sources[3].Token);
        await canceled.Opened.Soon();
        _gate.Open();
    }

    [Fact]
    public async Task I5_ForeignCode_NeverRunsUnderALock()
    {
        // Everything foreign calls back into the same group from another thread, which would deadlock under its lock.
        var isLockHeld = false;
        var options = Watched(new SingleFlightStrategyOptions<int>
        {
            ShouldShare = _ => Foreign(new ValueTask<bool>(true)),
            ResultCloner = args => Foreign(new ValueTask<int>(args.Result)),
        });
        options.KeyGenerator = args => Foreign(new ValueTask<object?>(args.Context.GetSingleFlightKey()));
        options.OnFlightStarted += _ => Foreign(default(ValueTask));
        options.OnFlightJoined += _ => Foreign(default(ValueTask));
        options.OnFlightCompleted += _ => Foreign(default(ValueTask));
        options.OnFlightAbandoned += _ => Foreign(default(ValueTask));
        var pipeline = new ResiliencePipelineBuilder<int> { TimeProvider = new ForeignClock(() => Foreign(0)) }.AddSingleFlight(options).Build();
        var leader = Call(pipeline, "key", async _ =>
        {
            Foreign(0);
            await _gate.Opened;
            return 1;
        });
        await Probe.Reached(Started, 1);
        using var source = new CancellationTokenSource();
        var leaver = Call(pipeline, "key", _ => Task.FromResult(2), source.Token);
        var stayer = Call(pipeline, "key", _ => Task.FromResult(2));
        await Probe.Reached(Joined, 2);
        await source.CancelAsync();
        await IsCanceledBy(leaver, source.Token);
        _gate.Open();
        Assert.Equal(new[] { 1, 1 }, await Task.WhenAll(leader, stayer));

        using var lone = new CancellationTokenSource();
        var canceled = new Gate();
        var abandons = Call(pipeline, "key", async context =>
        {
            using var registration = context.CancellationToken.Register(() => Foreign(canceled.Open));
            await canceled.Opened;
            return 1;
        }, lone.Token);
        await Probe.Reached(Started, 2);
        await lone.CancelAsync();
        await IsCanceledBy(abandons, lone.Token);
        await canceled.Opened.Soon();
        Assert.False(isLockHeld, "A lock of the group was held.");

        T Foreign<T>(T value)
        {
            var free = new ManualResetEventSlim();
            new Thread(() =>
            {
                _ = Group.ActiveFlights;
                free.Set();
            }).Start();

            // Not asserted here, as the strategy keeps what an event callback throws from its caller.
            isLockHeld = isLockHeld || !free.Wait(TimeSpan.FromSeconds(30));
            (value as Action)?.Invoke();
            return value;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task I6_CallerReturned_ItsContextAndTokenAreNotTouched(bool asLeader)
    {
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        var (own, other) = (ResilienceContextPool.Shared.Get(source.Token), default(Task<int>));
        own.SetSingleFlightKey("key");
        if (!asLeader)
        {
            other = Call(pipeline, "key", _ => Hold(_gate, 1));
            await Probe.Reached(Started, 1);
        }

        var returned = pipeline.ExecuteAsync(async flight =>
        {
            await _gate.Opened;
            flight.Properties.Set(new ResiliencePropertyKey<int>("written"), 1);
            return 1;
        }, own).AsTask();
        if (asLeader)
        {
            other = Call(pipeline, "key", _ => Hold(_gate, 1));
        }

        await Probe.Reached(Joined, 1);
        await source.CancelAsync();
        await IsCanceledBy(returned, source.Token);

        // From here on every access to its properties fails, and the source has no registration left.
        own.Properties.SetProperties(new Untouchable(), out _);
        Assert.Equal(0, Registrations.Count(source));
        _gate.Open();
        Assert.Equal(1, await other!);
        await Probe.Reached(Completed, 1);
        Assert.Equal(0, Untouchable.Touched);
    }

    private static async Task<int> Hold(Gate gate, int value)
    {
        await gate.Opened;
        return value;
    }

    private sealed class ForeignClock(Func<int> foreign) : TimeProvider
    {
        public override long GetTimestamp()
        {
            foreign();
            return base.GetTimestamp();
        }
    }

    private sealed class Untouchable : IDictionary<string, object?>
    {
        private static int s_touched;

        public static int Touched => Volatile.Read(ref s_touched);

        public ICollection<string> Keys => Touch<ICollection<string>>();

        public ICollection<object?> Values => Touch<ICollection<object?>>();

        public int Count => Touch<int>();

        public bool IsReadOnly => Touch<bool>();

        public object? this[string key]
        {
            get => Touch<object?>();
            set => Touch<object?>();
        }

        public void Add(string key, object? value) => Touch<object?>();

        public void Add(KeyValuePair<string, object?> item) => Touch<object?>();

        public bool Contains(KeyValuePair<string, object?> item) => Touch<bool>();

        public bool ContainsKey(string key) => Touch<bool>();

        public void CopyTo(KeyValuePair<string, object?>[] array, int arrayIndex) => Touch<object?>();

        public bool Remove(KeyValuePair<string, object?> item) => Touch<bool>();

        public bool Remove(string key) => Touch<bool>();

        public bool TryGetValue(string key, out object? value)
        {
            value = null;
            return Touch<bool>();
        }

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() =>
            Touch<IEnumerator<KeyValuePair<string, object?>>>();

        public void Clear() => Touch<object?>();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();

        private static T Touch<T>()
        {
            Interlocked.Increment(ref s_touched);
            return default!;
        }
    }
}
