namespace Polly.SingleFlight.Composition.Tests.Infrastructure;

/// <summary>What one call does: it answers or fails after that time, or hangs until its token ends it.</summary>
internal sealed record Reply(double? Seconds, bool Fails)
{
    public static Reply Hangs { get; } = new(null, false);

    public static Reply Answers(double seconds) => new(seconds, false);

    public static Reply FailsAfter(double seconds) => new(seconds, true);

    public override string ToString() => Seconds is not { } seconds ? "hangs" : FormattableString.Invariant($"{(Fails ? "fails" : "answers")} in {seconds} s");
}

internal sealed class UpstreamException() : Exception("The upstream failed.");

/// <summary>Numbers its calls, counts those that run, and gives each the reply that the row has for it, the last one from then on.</summary>
internal sealed class Upstream(Timeline timeline, Reply[] replies)
{
    private readonly Probe _probe = new();
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    public async ValueTask<int> CallAsync(CancellationToken token)
    {
        var number = Interlocked.Increment(ref _calls);
        _probe.Hit("begun");
        var reply = replies[Math.Min(number, replies.Length) - 1];
        try
        {
            var time = reply.Seconds is { } seconds ? TimeSpan.FromSeconds(seconds) : System.Threading.Timeout.InfiniteTimeSpan;
            await Task.Delay(time, timeline, token).ConfigureAwait(false);
            return reply.Fails ? throw new UpstreamException() : number;
        }
        finally
        {
            _probe.Hit("ended");
        }
    }

    /// <summary>Completes when so many calls have begun.</summary>
    public Task Called(int count) => _probe.Reached("begun", count);

    /// <summary>Completes when no call runs any more.</summary>
    public Task Idle() => _probe.Reached("ended", Calls);
}
