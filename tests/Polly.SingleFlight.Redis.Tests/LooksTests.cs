using Polly.SingleFlight.Redis.Engine;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>How often those who wait look by themselves.</summary>
public sealed class LooksTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(500, 1)]
    [InlineData(750, 1.5)]
    [InlineData(10_000, 4)]
    public void Interval_IsASecond_UnlessMoreThan500Wait(int waiting, double seconds)
    {
        var looks = new Looks();
        for (var i = 0; i < waiting; i++)
        {
            looks.Begin();
        }

        Assert.Equal(seconds, looks.Interval.TotalSeconds, 3);
    }

    [Fact]
    public void Interval_WhenThoseWhoWaitedHaveGone_IsASecondAgain()
    {
        var looks = new Looks();
        for (var i = 0; i < 1000; i++)
        {
            looks.Begin();
        }

        for (var i = 0; i < 1000; i++)
        {
            looks.End();
        }

        Assert.Equal(1, looks.Interval.TotalSeconds);
    }
}
