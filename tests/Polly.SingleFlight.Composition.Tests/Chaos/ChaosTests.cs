namespace Polly.SingleFlight.Composition.Tests.Chaos;

/// <summary>
/// Orders under chaos: every caller gets a result of its own key or a clear error, nothing hangs, and nothing is left behind, which
/// the base class looks for.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output) : FlightTest
{
    private static readonly string[] s_orders =
    [
        "cache → patience → single flight → retry → breaker → hedging → attempt",
        "patience → single flight → retry → attempt",
        "patience → single flight with hand over → retry → attempt",
        "cache with refresh → patience → single flight to the end → hedging → attempt",
        "patience → cache with stale → single flight → breaker",
        "retry → single flight → attempt",
        "hedging → single flight → attempt",
        "breaker → single flight → attempt",
        "single flight → cache → attempt",
        "cache → patience → hedging → breaker → retry → single flight → attempt",
    ];

    public static TheoryData<string, int> Orders =>
        [.. from order in s_orders from seed in new[] { 1, 2 } select new TheoryDataRow<string, int>(order, seed)];

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Order_UnderChaos_EveryCallerGetsItsOwnOrAClearError(string order, int seed)
    {
        using var world = new ChaosWorld(order, seed, Clock, () => Watched(new SingleFlightStrategyOptions<int>()));
        await world.RunAsync();

        output.WriteLine($"{world.Upstream.Calls} calls, {Probe[Started]} flights; {string.Join(", ", world.Tally.OrderByDescending(pair => pair.Value))}");
        Assert.Empty(world.Violations);
        Assert.Equal(ChaosPlan.Callers, world.Tally.Values.Sum());
        Assert.Empty(world.Tally.Keys.Except(Expected(order)));
        Assert.Contains("result", world.Tally.Keys);
        Assert.InRange(world.Upstream.Calls, 1, ChaosPlan.Callers);
        Assert.Equal(0, Group.ActiveFlights);
    }

    private static HashSet<string> Expected(string order)
    {
        HashSet<string> expected = ["result", "degraded", nameof(ChaosException), nameof(OperationCanceledException), nameof(TaskCanceledException)];
        if (order.Contains("patience", StringComparison.Ordinal) || order.Contains("attempt", StringComparison.Ordinal))
        {
            expected.Add("TimeoutRejectedException");
        }

        if (order.Contains("breaker", StringComparison.Ordinal))
        {
            expected.Add("BrokenCircuitException");
        }

        return expected;
    }
}
