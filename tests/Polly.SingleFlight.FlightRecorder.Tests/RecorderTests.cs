namespace FlightRecorder.Tests;

/// <summary>What a recorder makes of flights that are known.</summary>
public sealed class RecorderTests : RecorderTest
{
    [Fact]
    public async Task Flight_WithFollowers_IsRecordedWithLeaderLaneAndWaits()
    {
        var recorder = Record();
        var callers = await AskTogether(Tokens(), "Asia", followers: 2);
        Gate.Open();
        await Task.WhenAll(callers);

        var flight = Assert.Single(recorder.GetRecording().Flights);
        Assert.Equal(("Asia", "caller 1", 3, "success", null), (flight.Lane, flight.Leader, flight.Callers, flight.Outcome, flight.ErrorType));
        Assert.True(flight.End > flight.Start);
        Assert.Equal(["success", "success"], flight.Followers.Select(static follower => follower.Outcome));
        Assert.All(flight.Followers, follower => Assert.InRange(follower.Joined, flight.Start, flight.End!.Value));
        Assert.All(flight.Followers, static follower => Assert.Equal(follower.Left - follower.Joined, follower.Wait));
        Assert.Equal(new DroppedCounts(0, 0, 0), recorder.GetRecording().Dropped);
    }

    [Fact]
    public async Task Flight_InTheAir_HasNoEnd()
    {
        var recorder = Record();
        var callers = await AskTogether(Tokens(), "Asia", followers: 1);

        var flight = Assert.Single(recorder.GetRecording().Flights);
        Assert.Equal((null, null, 1), (flight.End, flight.Outcome, flight.Callers));
        Gate.Open();
        await Task.WhenAll(callers);
    }

    [Fact]
    public async Task Flights_AtTheSameTime_HaveLanesOfTheirOwn()
    {
        var recorder = Record();
        var pipeline = Tokens();
        var callers = (await AskTogether(pipeline, "Asia", followers: 1)).Concat(await AskTogether(pipeline, "Europe", followers: 2)).ToArray();
        Gate.Open();
        await Task.WhenAll(callers);

        Assert.Equal([("Asia", 2), ("Europe", 3)], recorder.GetRecording().Flights.Select(static flight => (flight.Lane, flight.Callers)));
    }

    [Fact]
    public async Task Follower_ThatLeaves_IsRecordedAsLeft()
    {
        var recorder = Record();
        var pipeline = Tokens();
        var callers = await AskTogether(pipeline, "Asia", followers: 0);
        using var patience = new CancellationTokenSource();
        var impatient = Ask(pipeline, "impatient", "Asia", Hold, patience.Token);
        await Probe.Reached(Joined, 1);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        Gate.Open();
        await callers[0];

        var flight = Assert.Single(recorder.GetRecording().Flights);
        Assert.Equal(("success", 2), (flight.Outcome, flight.Callers));
        Assert.Equal("left", Assert.Single(flight.Followers).Outcome);
    }

    [Fact]
    public async Task Flight_ThatFails_HasTheTypeOfItsExceptionAndNotItsMessage()
    {
        var recorder = Record();
        var callers = await AskTogether(Tokens(), "Asia", followers: 1);
        Gate.OpenWith(new InvalidOperationException("secret"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => callers[0]);
        await Assert.ThrowsAsync<InvalidOperationException>(() => callers[1]);

        var flight = Assert.Single(recorder.GetRecording().Flights);
        Assert.Equal(("failure", typeof(InvalidOperationException).FullName), (flight.Outcome, flight.ErrorType));
        Assert.Equal(("failure", typeof(InvalidOperationException).FullName), (flight.Followers[0].Outcome, flight.Followers[0].ErrorType));
        Assert.DoesNotContain("secret", Report.ToHtml(recorder.GetRecording()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Flight_WhoseCallersHaveAllLeft_IsAbandoned()
    {
        var recorder = Record();
        using var patience = new CancellationTokenSource();
        var only = Ask(Tokens(), "impatient", "Asia", Hold, patience.Token);
        await Probe.Reached(Started, 1);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => only);
        await Probe.Reached(FlightEnded, 1);

        Assert.Equal("abandoned", Assert.Single(recorder.GetRecording().Flights).Outcome);
    }

    [Fact]
    public async Task Lane_WithoutTag_IsThePipeline()
    {
        var recorder = Record();
        await Ask(Tokens(), "caller", region: null, Answer);
        await Call(new ResiliencePipelineBuilder().AddSingleFlight(Watched()).Build(), "key", Answer);

        var flights = recorder.GetRecording().Flights;
        Assert.Equal([("tokens", "caller"), ("unnamed pipeline", null)], flights.Select(static flight => (flight.Lane, flight.Leader)));
    }

    [Fact]
    public async Task Lane_OfAFlightInsideAnother_IsThatOfTheOuterCaller()
    {
        var recorder = Record();
        var inner = Build();
        await Ask(Tokens(), "caller", "Asia", _ => Call(inner, "inner", Answer));

        Assert.Equal(["Asia", "Asia"], recorder.GetRecording().Flights.Select(static flight => flight.Lane));
    }

    [Fact]
    public async Task Lane_WhoseFunctionThrows_IsThePipelineAndFailsNobody()
    {
        var recorder = Record(new() { CallerSources = ["callers"], Lane = static _ => throw new InvalidOperationException("lane") });

        Assert.Equal("token", await Ask(Tokens(), "caller", "Asia", Answer));
        Assert.Equal("tokens", Assert.Single(recorder.GetRecording().Flights).Lane);
    }

    [Fact]
    public async Task Dispose_EndsTheRecording()
    {
        var recorder = Record();
        recorder.Dispose();
        await Ask(Tokens(), "caller", "Asia", Answer);

        Assert.Empty(recorder.GetRecording().Flights);
        Assert.Equal(0, Assert.Single(recorder.GetRecording().Sections).Callers);
    }
}
