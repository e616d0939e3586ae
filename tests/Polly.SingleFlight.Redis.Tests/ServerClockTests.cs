using System.Diagnostics;
using Polly.SingleFlight.Redis.Engine;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>What a node concludes about the clock of a server.</summary>
public sealed class ServerClockTests
{
    private const long Base = 1_700_000_000_000_000;

    private static readonly double s_ticks = Stopwatch.Frequency / 1_000_000.0;

    private readonly ServerClock _clock = new();

    [Fact]
    public void LastBefore_WithoutACommand_IsBeforeEverything() => Assert.True(_clock.LastBefore(Base) < 0);

    [Fact]
    public void LastBefore_IsEarlierByWhatTheCommandTook()
    {
        // Sent at 1000, heard 100 later. So 500 later the server showed 400 more, or more than that.
        Note(sentAt: 1000, heardAt: 1100);
        Assert.Equal(1400, LastBefore(1500));
    }

    [Fact]
    public void LastBefore_TheCommandThatWasHeardSoonestDecides()
    {
        Note(1000, 1900);
        Note(2000, 2100);
        Note(3000, 3700);
        Assert.Equal(2900, LastBefore(3000));
    }

    [Fact]
    public void LastBefore_LongAfterTheCommand_AllowsForTheClocksSpeeds()
    {
        Note(0, 100);
        Assert.Equal(200_000 - 100 - 100, LastBefore(200_000), 1.0);
    }

    [Fact]
    public void Note_AnOldCommandIsForgotten_SinceTheServersClockMayHaveBeenSet()
    {
        Note(0, 100);
        Note(1_000_001, 1_005_001);
        Assert.Equal(1_000_001, LastBefore(1_005_001));
    }

    [Fact]
    public void Note_TheServersClockWasSetForward_OrTheServerIsAnother_IsNoticed()
    {
        Note(0, 100);
        Note(1000, 1100, clockIsAheadBy: 5000);
        Assert.Equal(1000, LastBefore(6100));
        Note(2000, 2100, clockIsAheadBy: -5000);
        Assert.Equal(2000, LastBefore(-2900));
    }

    /// <summary>Whatever the commands took: a moment that is said to be before a time of the server is before it.</summary>
    [Fact]
    public void LastBefore_IsNeverTooLate()
    {
        var random = new Random(20261126);
        for (var round = 0; round < 200; round++)
        {
            // The server's clock goes faster or slower by 400 ppm at most.
            var clock = new ServerClock();
            var speed = 1 + ((random.NextDouble() - 0.5) * 0.0008);
            var now = random.NextDouble() * 1_000_000;
            for (var i = 0; i < 50; i++)
            {
                now += random.NextDouble() * 50_000;
                var took = random.NextDouble() * random.NextDouble() * 20_000;
                clock.Note((long)(now * s_ticks), (long)((now + took + 5_000) * s_ticks), Base + (long)((now + took) * speed));
                var asked = now + took - (random.NextDouble() * 500_000);
                Assert.True(clock.LastBefore(Base + (long)(asked * speed)) <= (asked * s_ticks) + (3 * s_ticks), $"round {round}, command {i}");
            }
        }
    }

    private void Note(long sentAt, long heardAt, long clockIsAheadBy = 0) =>
        _clock.Note((long)(sentAt * s_ticks), (long)((heardAt + 100) * s_ticks), Base + heardAt + clockIsAheadBy);

    private double LastBefore(long serverTime) => Math.Round(_clock.LastBefore(Base + serverTime) / s_ticks);
}
