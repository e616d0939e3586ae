namespace Polly.SingleFlight.Benchmarks.Suites;

/// <summary>The followers call while the leader's callback runs.</summary>
public class JoinSuite : FollowerSuite
{
    protected override void BeforeMeasuring()
    {
    }

    protected override Task Measured()
    {
        FanIn.Join();
        return Task.CompletedTask;
    }

    protected override void AfterMeasuring() => FanIn.ReleaseAsync().GetAwaiter().GetResult();
}
