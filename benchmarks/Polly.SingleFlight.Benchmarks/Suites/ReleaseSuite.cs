namespace Polly.SingleFlight.Benchmarks.Suites;

/// <summary>The leader's callback completes and all callers are let go.</summary>
public class ReleaseSuite : FollowerSuite
{
    protected override void BeforeMeasuring() => FanIn.Join();

    protected override Task Measured() => FanIn.ReleaseAsync();

    protected override void AfterMeasuring()
    {
    }
}
