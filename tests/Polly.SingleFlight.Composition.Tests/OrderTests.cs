using Polly.SingleFlight.Composition.Tests.Rows;

namespace Polly.SingleFlight.Composition.Tests;

/// <summary>Every row of the table, on the manual clock: the calls the upstream gets, what each caller gets, and who waits how long.</summary>
public sealed class OrderTests : FlightTest
{
    public static TheoryData<string> Recommended => [.. RecommendedRows.All.Select(row => row.Name)];

    public static TheoryData<string> Documented => [.. DocumentedRows.All.Select(row => row.Name)];

    public static TheoryData<string> Mistakes => [.. MistakenRows.All.Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(Recommended))]
    public Task RecommendedOrder_AsTheTableSays(string row) => PlayAsync(RecommendedRows.All.Single(other => other.Name == row));

    [Theory]
    [MemberData(nameof(Documented))]
    public Task DocumentedOrder_AsTheTableSays(string row) => PlayAsync(DocumentedRows.All.Single(other => other.Name == row));

    [Theory]
    [MemberData(nameof(Mistakes))]
    public Task MistakenOrder_AsTheTableSays(string row) => PlayAsync(MistakenRows.All.Single(other => other.Name == row));

    private async Task PlayAsync(Row row)
    {
        using var play = new Play(row, Probe, () => Watched(new SingleFlightStrategyOptions<int>()));
        var endings = await play.RunAsync();

        Assert.Equal(row.Shares.Select(share => share.ToString()), Play.Ending.Sum(endings).Select(share => share.ToString()));
        Assert.Equal(row.Calls, play.Upstream.Calls);
        Assert.Equal(endings.Length, row.Shares.Sum(share => share.Count));
        Assert.Equal(row.Flights ?? Probe[Started], Probe[Started]);
        Assert.Equal(row.Stored ?? play.Stored, play.Stored);
        var exceptions = endings.Select(ending => ending.Exception).OfType<Exception>().Distinct(ReferenceEqualityComparer.Instance).Count();
        Assert.Equal(row.Exceptions ?? exceptions, exceptions);
    }
}
