using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void Constructor_Defaults_AreAsDocumented()
    {
        var options = new SingleFlightStrategyOptions<int>();

        Assert.Equal("SingleFlight", options.Name);
        Assert.Null(options.Group);
        Assert.Equal(System.Threading.Timeout.InfiniteTimeSpan, options.MaxJoinAge);
        Assert.Equal(LeaderDeparture.Detach, options.LeaderDeparture);
        Assert.Equal(1, options.MaxElections);
        Assert.True(options.CancelWhenAbandoned);
        Assert.True(options.DetectReentrancy);
        Assert.Null(options.ShouldShare);
        Assert.Null(options.ResultCloner);
        Assert.Equal(UnsharedOutcome.ExecuteIndividually, options.UnsharedOutcome);
        Assert.Null(options.OnFlightStarted ?? (object?)options.OnFlightJoined ?? options.OnFlightCompleted);
        Assert.Null(options.OnFlightAbandoned ?? (object?)options.OnFlightBypassed);
    }

    public static TheoryData<string, Action<SingleFlightStrategyOptions<int>>> Invalid => new()
    {
        { "KeyGenerator", options => options.KeyGenerator = null! },
        { "MaxJoinAge", options => options.MaxJoinAge = TimeSpan.Zero },
        { "MaxJoinAge", options => options.MaxJoinAge = TimeSpan.FromSeconds(-2) },
        { "MaxElections", options => options.MaxElections = -1 },
        { "LeaderDeparture", options => options.LeaderDeparture = (LeaderDeparture)9 },
        { "UnsharedOutcome", options => options.UnsharedOutcome = (UnsharedOutcome)9 },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void AddSingleFlight_InvalidOption_ThrowsValidationExceptionNamingIt(string name, Action<SingleFlightStrategyOptions<int>> change)
    {
        var options = new SingleFlightStrategyOptions<int>();
        change(options);

        var exception = Assert.Throws<ValidationException>(() => new ResiliencePipelineBuilder<int>().AddSingleFlight(options));

        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddSingleFlight_NullArguments_Throw()
    {
        Assert.Throws<ArgumentNullException>("builder", () => default(ResiliencePipelineBuilder)!.AddSingleFlight());
        Assert.Throws<ArgumentNullException>("builder", () => default(ResiliencePipelineBuilder)!.AddSingleFlight(new SingleFlightStrategyOptions()));
        Assert.Throws<ArgumentNullException>("builder", () => default(ResiliencePipelineBuilder<int>)!.AddSingleFlight(new SingleFlightStrategyOptions<int>()));
        Assert.Throws<ArgumentNullException>("options", () => new ResiliencePipelineBuilder().AddSingleFlight(null!));
        Assert.Throws<ArgumentNullException>("options", () => new ResiliencePipelineBuilder<int>().AddSingleFlight(default(SingleFlightStrategyOptions<int>)!));
    }

    [Fact]
    public void AddSingleFlight_TypedOptionsOfAnotherResultType_ThrowsAndSaysWhatToWrite()
    {
        SingleFlightStrategyOptions options = new SingleFlightStrategyOptions<string>();

        var typed = Assert.Throws<ArgumentException>("options", () => new ResiliencePipelineBuilder<int>().AddSingleFlight(options));
        var untyped = Assert.Throws<ArgumentException>("options", () => new ResiliencePipelineBuilder().AddSingleFlight(options));

        Assert.Contains("new SingleFlightStrategyOptions<Int32>()", typed.Message, StringComparison.Ordinal);
        Assert.Contains("new SingleFlightStrategyOptions()", untyped.Message, StringComparison.Ordinal);
        Assert.NotNull(new ResiliencePipelineBuilder<string>().AddSingleFlight(options).Build());
    }

    [Fact]
    public void GetFlights_NewGroup_IsEmptyAndGuardsItsKeys()
    {
        var group = new SingleFlightGroup();

        Assert.Empty(group.GetFlights());
        Assert.False(group.Forget("key"));
        Assert.False(group.Cancel("key"));
        group.ForgetAll();
        Assert.Throws<ArgumentNullException>("key", () => group.Forget(null!));
        Assert.Throws<ArgumentNullException>("key", () => group.Cancel(null!));
    }

    [Fact]
    public void FlightCanceledException_Constructors_KeepMessageAndCause()
    {
        var cause = new InvalidOperationException();

        Assert.NotEmpty(new FlightCanceledException().Message);
        Assert.Equal("m", new FlightCanceledException("m").Message);
        Assert.Same(cause, new FlightCanceledException("m", cause).InnerException);
    }
}
