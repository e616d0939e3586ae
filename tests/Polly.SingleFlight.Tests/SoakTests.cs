using System.Globalization;
using Polly.SingleFlight.Soak;

namespace Polly.SingleFlight.Tests;

/// <summary>Not in parallel with other tests: the soak listens to assertions and unobserved exceptions of the whole process.</summary>
[CollectionDefinition(nameof(SoakTests), DisableParallelization = true)]
public class NotInParallel;

/// <summary>A short run of the random soak; the long ones are runs of its own project.</summary>
[Collection(nameof(SoakTests))]
public class SoakTests
{
    public static TheoryData<string> Arenas => [.. SoakOptions.Arenas];

    /// <summary>Each arena by itself, since a mix of arenas hides what one finds in seconds.</summary>
    [Theory]
    [MemberData(nameof(Arenas))]
    public async Task Run_RandomCallsInOneArena_FindsNoViolation(string arena)
    {
        var place = SoakOptions.Arenas.ToList().IndexOf(arena);
        var options = new SoakOptions
        {
            Duration = TimeSpan.FromSeconds(2),
            Seed = place + 1,
            Tasks = place % 3 == 0 ? 8 : 48,
            Keys = 1 + (place % 4),
            Arena = arena,
        };

        var result = await SoakRunner.RunAsync(options, stop: TestContext.Current.CancellationToken);

        Assert.True(result.ViolationCount == 0, $"{options}: {result.ViolationCount} violations.\n{string.Join('\n', result.Violations)}");
        Assert.True(
            result is { Calls: > 100, Flights: > 20, Canceled: > 1 } && result.Followers + result.Elections > 10, $"Hardly anything happened: {result}.");
    }

    [Theory]
    [InlineData("--bogus", "1")]
    [InlineData("--seconds", "soon")]
    [InlineData("--seconds", "0")]
    [InlineData("--arena", "nowhere")]
    [InlineData("--seed")]
    public void TryParse_WrongArguments_NamesTheOption(params string[] arguments)
    {
        var error = SoakOptions.TryParse(arguments, out _);

        Assert.NotNull(error);
        Assert.Contains(arguments[^1] is "nowhere" ? "nowhere" : arguments[0], error, StringComparison.Ordinal);
    }

    [Fact]
    public void TryParse_AllArguments_ReadsThem()
    {
        var error = SoakOptions.TryParse(
            ["--seconds", "5", "--seed", "-7", "--tasks", "9", "--keys", "2", "--arena", "plain", "--drain", "4"], out var options);

        Assert.Null(error);
        Assert.Equal(
            new SoakOptions
            {
                Duration = TimeSpan.FromSeconds(5),
                Seed = -7,
                Tasks = 9,
                Keys = 2,
                Arena = "plain",
                DrainLimit = TimeSpan.FromSeconds(4),
            },
            options);
    }
}
