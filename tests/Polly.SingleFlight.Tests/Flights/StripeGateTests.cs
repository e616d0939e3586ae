using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights;

public sealed class StripeGateTests : FlightTest
{
    [Fact]
    public async Task G1_ManyThreads_OneIsInsideAtATime()
    {
        var gate = new StripeGate();
        var inside = 0;
        var passed = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SyncCall.Start(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                using (gate.Enter())
                {
                    Assert.Equal(1, ++inside);
                    passed++;
                    inside--;
                }
            }

            return true;
        })));

        Assert.Equal(8 * 20_000, passed);
    }

    [Fact]
    public async Task G1_TwoThreadsArriveAtOnce_OneEntersAfterTheOther()
    {
        var gate = new StripeGate();
        var inside = 0;
        var together = 0;
        await Rendezvous.OfTwoThreads(30_000, _ =>
        {
            using (gate.Enter())
            {
                if (Interlocked.Increment(ref inside) > 1 || !gate.IsHeldByCurrentThread)
                {
                    Interlocked.Increment(ref together);
                }

                Thread.SpinWait(10);
                Interlocked.Decrement(ref inside);
            }
        });

        Assert.Equal(0, together);
    }

    [Fact]
    public async Task G1_ThreadIsInsideForLong_OthersWaitAndGoOn()
    {
        var gate = new StripeGate();
        using var leave = new ManualResetEventSlim();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = SyncCall.Start(() =>
        {
            using (gate.Enter())
            {
                entered.SetResult();
                leave.Wait();
                return gate.IsHeldByCurrentThread;
            }
        });
        await entered.Task.Soon();
        var arrived = new CountdownEvent(2);
        var others = Enumerable.Range(0, 2).Select(_ => SyncCall.Start(() =>
        {
            arrived.Signal();
            using (gate.Enter())
            {
                return gate.IsHeldByCurrentThread;
            }
        })).ToArray();
        arrived.Wait(TestContext.Current.CancellationToken);
        Assert.False(gate.IsHeldByCurrentThread);
        Assert.All(others, static other => Assert.False(other.IsCompleted));
        leave.Set();

        Assert.True(await first);
        Assert.All(await Task.WhenAll(others), Assert.True);
    }

    [Fact]
    public void G1_ThrowsInside_GateIsLeft()
    {
        var gate = new StripeGate();
        Action throws = () =>
        {
            using (gate.Enter())
            {
                throw new InvalidOperationException();
            }
        };
        Assert.Throws<InvalidOperationException>(throws);

        Assert.False(gate.IsHeldByCurrentThread);
        gate.Enter().Dispose();
    }

    [Fact]
    public async Task G2_ComparerCallsIntoItsGroup_GetsAnExceptionAndNothingIsLeft()
    {
        var comparer = new CallingComparer();
        Group = comparer.Group = new SingleFlightGroup(comparer);
        var pipeline = Build();
        var gate = new Gate();
        var leader = Call(pipeline, "key", async _ =>
        {
            await gate.Opened;
            return 1;
        });
        await Probe.Reached(Started, 1);

        comparer.Calls = true;
        await Assert.ThrowsAsync<LockRecursionException>(() => Call(pipeline, "key", _ => Task.FromResult(2)));

        comparer.Calls = false;
        gate.Open();
        Assert.Equal(1, await leader);
        Assert.Equal(3, await Call(pipeline, "key", _ => Task.FromResult(3)));
    }

    private sealed class CallingComparer : IEqualityComparer<object>
    {
        public SingleFlightGroup Group { get; set; } = null!;

        public bool Calls { get; set; }

        public new bool Equals(object? x, object? y)
        {
            if (Calls)
            {
                Group.Forget("key");
            }

            return object.Equals(x, y);
        }

        public int GetHashCode(object obj) => obj.GetHashCode();
    }
}
