namespace FlightRecorder.Tests;

/// <summary>A recorder keeps the latest only, and says what it has dropped.</summary>
public sealed class BoundsTests : RecorderTest
{
    [Fact]
    public async Task Flights_BeyondTheMaximum_DropTheOldest()
    {
        var recorder = Record(new() { MaxFlights = 3, CallerSources = ["callers"] });
        var pipeline = Tokens();
        for (var number = 1; number <= 5; number++)
        {
            await Ask(pipeline, $"caller {number}", "Asia", Answer);
        }

        var recording = recorder.GetRecording();
        Assert.Equal(["caller 3", "caller 4", "caller 5"], recording.Flights.Select(static flight => flight.Leader));
        Assert.Equal(new DroppedCounts(2, 0, 0), recording.Dropped);
        Assert.Equal((5, 5), (recording.Sections[0].Callers, recording.Sections[0].Calls));
    }

    [Fact]
    public async Task Followers_BeyondTheMaximum_DropTheOldestFlight()
    {
        var recorder = Record(new() { MaxFollowers = 4 });
        var pipeline = Tokens();
        var callers = (await AskTogether(pipeline, "Asia", followers: 3)).Concat(await AskTogether(pipeline, "Europe", followers: 2)).ToArray();
        Gate.Open();
        await Task.WhenAll(callers);

        // Five followers do not fit; with the flight of three, all that came of it is dropped.
        var recording = recorder.GetRecording();
        Assert.Equal(1, recording.Dropped.Flights);
        var kept = Assert.Single(recording.Flights);
        Assert.Equal(3, kept.Callers);
        Assert.Equal(5, kept.Followers.Count + recording.Dropped.Followers);
    }

    [Fact]
    public async Task Follower_OfADroppedFlight_IsCounted()
    {
        var recorder = Record(new() { MaxFlights = 1 });
        var pipeline = Tokens();
        var callers = await AskTogether(pipeline, "Asia", followers: 2);
        await Ask(pipeline, "caller", "Europe", Answer);
        Gate.Open();
        await Task.WhenAll(callers);

        Assert.Equal(new DroppedCounts(1, 2, 0), recorder.GetRecording().Dropped);
    }

    [Fact]
    public void Sections_BeyondTheMaximum_DropTheOldest()
    {
        var recorder = Record(new() { MaxSections = 2 });
        recorder.BeginSection("one");
        recorder.BeginSection("two");
        recorder.BeginSection("three");

        var recording = recorder.GetRecording();
        Assert.Equal(["two", "three"], recording.Sections.Select(static section => section.Name));
        Assert.Equal(new DroppedCounts(0, 0, 1), recording.Dropped);
    }
}
