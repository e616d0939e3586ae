using System.Net;
using System.Security.Authentication;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Polly.SingleFlight.Caching.RealCaches.Tests;

/// <summary>Which failures are answered with a result whose lifetime is over.</summary>
public class StaleAnswerTests(RedisServer redis) : RealCacheTest(redis)
{
    public static TheoryData<CacheKind, int> Failures()
    {
        var data = new TheoryData<CacheKind, int>();
        for (var i = 0; i < All.Length; i++)
        {
            // What counts does not depend on the cache; one with memory alone and one with several parts do.
            data.Add(CacheKind.Memory, i);
            data.Add(CacheKind.HybridRedis, i);
        }

        return data;
    }

    private static (Exception Failure, bool IsTransient)[] All =>
    [
        (Status(HttpStatusCode.Unauthorized), false),
        (Status(HttpStatusCode.Forbidden), false),
        (Status(HttpStatusCode.NotFound), false),
        (Status(HttpStatusCode.BadRequest), false),
        (Status(HttpStatusCode.Gone), false),
        (Status(HttpStatusCode.InternalServerError), true),
        (Status(HttpStatusCode.ServiceUnavailable), true),
        (Status(HttpStatusCode.RequestTimeout), true),
        (Status(HttpStatusCode.TooManyRequests), true),
        (new HttpRequestException("no response"), true),
        (new HttpRequestException("no response", new TimeoutException()), true),
        (new HttpRequestException("canceled", new OperationCanceledException()), false),
        (new InvalidOperationException("the login failed", Status(HttpStatusCode.Unauthorized)), false),
        (new InvalidOperationException("the login failed", Status(HttpStatusCode.ServiceUnavailable)), true),
        (new InvalidOperationException("wrapped", new OperationCanceledException()), false),
        (new InvalidOperationException("wrapped twice", new InvalidOperationException("once", Status(HttpStatusCode.Forbidden))), false),
        (new AggregateException(new TimeoutException(), Status(HttpStatusCode.Unauthorized)), false),
        (new AggregateException(new TimeoutException(), new IOException()), true),
        (new TimeoutException(), true),
        (new TimeoutRejectedException("too late", new OperationCanceledException()), true),
        (new BrokenCircuitException("open", Status(HttpStatusCode.ServiceUnavailable)), true),
        (new TaskCanceledException("HttpClient.Timeout", new TimeoutException()), true),
        (new OperationCanceledException(), false),
        (new TaskCanceledException(), false),
        (new UnauthorizedAccessException(), false),
        (new AuthenticationException(), false),
        (new IOException("reset", new InvalidOperationException()), true),
        (new InvalidOperationException(), true),
    ];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task ByDefault_TransientFailuresAreAnswered_AndNoOthers(CacheKind kind, int index)
    {
        var (failure, isTransient) = All[index];
        var pipeline = Cached(NewNode(kind), Options());
        await Read(pipeline, "k", "old");
        Clock.Advance(11 * s_minute);

        var thrown = await Record.ExceptionAsync(() => Fail(pipeline, "k", failure));

        Assert.True(isTransient ? thrown is null : thrown == failure, $"{failure}: {thrown}");
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task TransientFailure_IsAnswered_UntilTheStaleTimeIsOver(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Options());
        await Read(pipeline, "k", "old");
        Clock.Advance(69 * s_minute);
        Assert.Equal("old", await Fail(pipeline, "k"));

        Clock.Advance(2 * s_minute);

        await Assert.ThrowsAsync<InvalidOperationException>(() => Fail(pipeline, "k"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task CallersOwnCancellation_IsNeverAnswered(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Options(options => options.ShouldHandle = static _ => new(true)));
        await Read(pipeline, "k", "old");
        Clock.Advance(11 * s_minute);
        using var leaves = new CancellationTokenSource();
        var gate = new Gate();
        var caller = Read(pipeline, "k", "unused", gate, leaves.Token);
        await Probe.Reached(Upstream, 2);

        leaves.Cancel();

        await IsCanceledBy(caller, leaves.Token);
        gate.Open();
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Predicate_DecidesOverTheOutcome(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Options(options => options.ShouldHandle = static args => new(args.Outcome.Exception is FormatException)));
        await Read(pipeline, "k", "old");
        Clock.Advance(11 * s_minute);

        Assert.Equal("old", await Fail(pipeline, "k", new FormatException()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Fail(pipeline, "k"));
    }

    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task Followers_AreAnsweredToo(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Options());
        await Read(pipeline, "k", "old");
        Clock.Advance(11 * s_minute);
        var gate = new Gate();
        var callers = Enumerable.Range(0, 5).Select(_ => Ask<string>(pipeline, "k", async _ =>
        {
            await gate.Opened;
            throw new InvalidOperationException("upstream failed");
        })).ToList();
        await Probe.Reached(Joined, 4);
        gate.Open();

        Assert.All(await Task.WhenAll(callers), answer =>
        {
            Assert.Equal("old", answer.Value);
            Assert.True(answer.Cache!.IsStale);
        });
        Assert.Equal(2, Probe[Upstream]);
    }

    /// <summary>In an outage not every caller waits for a failure of its own.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task RetryDelay_SparesCallers_AndEnds(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Options(options => options.StaleRetryDelay = TimeSpan.FromSeconds(30)));
        await Read(pipeline, "k", "old");
        Clock.Advance(11 * s_minute);
        for (var i = 0; i < 10; i++)
        {
            var answer = await Ask<string>(pipeline, "k", _ => throw new InvalidOperationException("upstream failed"));
            Assert.Equal("old", answer.Value);
            Assert.True(answer.Cache!.IsStale);
        }

        Assert.Equal(2, Probe[Upstream]);
        Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal("new", await Read(pipeline, "k", "new"));
        Assert.Equal("new", await Read(pipeline, "k", "unused"));
    }

    /// <summary>Whoever wants a new one makes a call even then.</summary>
    [Theory]
    [MemberData(nameof(Kinds.All), MemberType = typeof(Kinds))]
    public async Task RetryDelay_RefreshMode_Calls(CacheKind kind)
    {
        var pipeline = Cached(NewNode(kind), Options(options => options.StaleRetryDelay = s_minute));
        await Read(pipeline, "k", "old");
        Clock.Advance(11 * s_minute);
        Assert.Equal("old", await Fail(pipeline, "k"));

        Assert.Equal("new", await Read(pipeline, "k", "new", mode: CacheMode.Refresh));
    }

    private static HttpRequestException Status(HttpStatusCode status) => new("status", null, status);

    private CacheStrategyOptions<string> Options(Action<CacheStrategyOptions<string>>? configure = null) => Counted<string>(configure: options =>
    {
        options.StaleOnError = 60 * s_minute;
        configure?.Invoke(options);
    });
}
