using Polly.SingleFlight.Tests.Flights;
using Polly.Timeout;

namespace Polly.SingleFlight.Tests.Contract;

/// <summary>S8, in whatever exception a cancellation comes: a stranger's is for nobody, the callback's own is for everybody.</summary>
public abstract partial class SingleFlightContract
{
    public enum Carried
    {
        LeadersToken,
        TokenLinkedToIt,
        NoToken,
    }

    public static TheoryData<string, Carried> ForeignCancellations
    {
        get
        {
            var data = new TheoryData<string, Carried>();
            foreach (var form in CancellationForms.Names)
            {
                data.Add(form, Carried.LeadersToken);
                if (form != CancellationForms.TimedOut)
                {
                    data.Add(form, Carried.TokenLinkedToIt);
                    data.Add(form, Carried.NoToken);
                }
            }

            return data;
        }
    }

    public static TheoryData<string> TimeOuts => [.. s_timeOuts.Keys];

    private static readonly Dictionary<string, Func<CancellationToken, Exception>> s_timeOuts = new()
    {
        ["HttpClient.Timeout"] = static token =>
            new TaskCanceledException("Timeout of 1 s", new TimeoutException("too late", new TaskCanceledException("inner", null, token)), token),
        ["HttpClient.Timeout, in another"] = static token =>
            new RpcLikeException("call", new TaskCanceledException("Timeout of 1 s", new TimeoutException("too late"), token)),
        ["HttpClient.Timeout, blocked for"] = static token =>
            new AggregateException(new TaskCanceledException("Timeout of 1 s", new TimeoutException("too late"), token)),
        ["TimeoutException"] = static token => new TimeoutException("too late", new OperationCanceledException(token)),
        ["TimeoutRejectedException"] = static token => new TimeoutRejectedException("too late", new OperationCanceledException(token)),
        ["two at a time"] = static token => new AggregateException(
            new TimeoutRejectedException("too late", new OperationCanceledException(token)), new TaskCanceledException("1 s", new TimeoutException(), token)),
    };

    [Theory]
    [MemberData(nameof(ForeignCancellations))]
    public async Task Execute_CallbackDiesOfLeadersToken_FollowersElectWhateverItThrows(string form, Carried carried)
    {
        using var source = new CancellationTokenSource();
        var calls = 0;
        var leader = Call("key", async _ =>
        {
            Interlocked.Increment(ref calls);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(source.Token);
            try
            {
                await Task.Delay(System.Threading.Timeout.Infinite, carried == Carried.TokenLinkedToIt ? linked.Token : source.Token);
                return "never";
            }
            catch (OperationCanceledException exception)
            {
                throw CancellationForms.Make(form, carried == Carried.NoToken ? new TaskCanceledException() : exception);
            }
        }, source.Token);
        await Probe.Reached(Started, 1);
        var followers = Enumerable.Range(0, 3).Select(_ => Call("key", _ =>
        {
            Interlocked.Increment(ref calls);
            return Task.FromResult("elected");
        })).ToArray();
        await Probe.Reached(Joined, 3);

        await source.CancelAsync();

        await IsCanceledBy(leader, source.Token);
        Assert.All(await Task.WhenAll(followers), value => Assert.Equal("elected", value));
        Assert.Equal(2, calls);
    }

    [Theory]
    [MemberData(nameof(TimeOuts))]
    public async Task Execute_CallbackTimesOutAfterItsLeaderHasLeft_IsShared(string form)
    {
        using var source = new CancellationTokenSource();
        using var own = new CancellationTokenSource();
        var gate = new Gate();
        var calls = 0;
        var timeOut = s_timeOuts[form](own.Token);
        async Task<string> Run(ResilienceContext context)
        {
            Interlocked.Increment(ref calls);
            await gate.Opened;
            throw timeOut;
        }

        var leader = Call("key", Run, source.Token);
        await Probe.Reached(Started, 1);
        var followers = Enumerable.Range(0, 3).Select(_ => Call("key", Run)).ToArray();
        await Probe.Reached(Joined, 3);
        await source.CancelAsync();
        await own.CancelAsync();
        if (LeaderLeavesAtOnce)
        {
            await IsCanceledBy(leader, source.Token);
        }

        gate.Open();

        foreach (var follower in followers)
        {
            Assert.Same(timeOut, await Assert.ThrowsAnyAsync<Exception>(() => follower));
        }

        await IsCanceledBy(leader, source.Token);
        Assert.Equal(1, calls);
    }
}
