using Polly.SingleFlight.Extensions.Configuration;

namespace Polly.SingleFlight.Extensions.Tests.Configuration;

public sealed class BindingTests : ClientTest
{
    public static TheoryData<string, string, object> Scalars => new()
    {
        { "Name", "Prices", "Prices" },
        { "MaxJoinAge", "00:00:05", TimeSpan.FromSeconds(5) },
        { "MaxJoinAge", "1.02:00:00", new TimeSpan(1, 2, 0, 0) },
        { "MaxJoinAge", "infinite", System.Threading.Timeout.InfiniteTimeSpan },
        { "MaxJoinAge", " Infinite ", System.Threading.Timeout.InfiniteTimeSpan },
        { "LeaderDeparture", "HandOver", LeaderDeparture.HandOver },
        { "leaderdeparture", "handover", LeaderDeparture.HandOver },
        { "UnsharedOutcome", "ExecuteIndividually", UnsharedOutcome.ExecuteIndividually },
        { "MaxElections", "7", 7 },
        { "CancelWhenAbandoned", "false", false },
        { "DetectReentrancy", "False", false },
        { "MaxRequestBodyBytes", "0", 0 },
        { "MaxResponseBodyBytes", "2097152", 2097152 },
        { "MaxTotalBufferedBytes", "8589934592", 8589934592L },
        { "ShareNoStoreResponses", "true", true },
        { "ShareSetCookieResponses", "TRUE", true },
        { "GuardCredentials", "false", false },
        { "KeepHandlerOrder", "true", true },
        { "MaxBodyWait", "00:00:03", TimeSpan.FromSeconds(3) },
        { "MaxBodyWait", "00:00:00", TimeSpan.Zero },
        { "MaxBodyWait", "infinite", System.Threading.Timeout.InfiniteTimeSpan },
        { "UnshareableDuration", "00:01:00", TimeSpan.FromMinutes(1) },
        { "UnshareableDuration", "00:00:00", TimeSpan.Zero },
    };

    [Theory]
    [MemberData(nameof(Scalars))]
    public void Section_WithScalar_SetsTheOption(string key, string value, object expected)
    {
        var options = Bind((key, value));

        var property = typeof(HttpSingleFlightStrategyOptions).GetProperties().Single(property => property.Name.Equals(key, StringComparison.OrdinalIgnoreCase));
        Assert.Equal(expected, property.GetValue(options));
    }

    [Fact]
    public void Scalars_OfTheTests_AreAllThatCanBeBound() =>
        Assert.Equal(
            ScalarOption.All.Select(static option => option.Name).Order(),
            Scalars.Select(static row => row.Data.Item1).Where(static name => char.IsUpper(name[0])).Distinct().Order());

    /// <summary>A new option must be put on one of the lists: what configuration can set, or what it deliberately cannot.</summary>
    [Fact]
    public void Options_OfTheStrategy_AreBindableOrListedAsNot()
    {
        var settable = typeof(HttpSingleFlightStrategyOptions).GetProperties()
            .Where(static property => property.SetMethod?.IsPublic == true || property.PropertyType.IsGenericType && property.PropertyType.GetGenericTypeDefinition() == typeof(ISet<>))
            .Select(static property => property.Name);

        string[] known =
        [
            .. ScalarOption.All.Select(static option => option.Name),
            .. SetOption.All.Where(static option => !option.Adds).Select(static option => option.Name),
            .. SectionBinder.NotBindable,
        ];
        Assert.Equal(settable.Order(), known.Order());
    }

    [Fact]
    public void Calls_InARow_AreAppliedInTheirOrder()
    {
        var settings = new Settings(("MaxElections", "5"), ("MaxRequestBodyBytes", "10"));
        var provider = ProvideClient(client => client
            .AddSingleFlight(static options => (options.MaxElections, options.MaxResponseBodyBytes) = (4, 20))
            .AddSingleFlight(settings.Prices)
            .AddSingleFlight(static options => options.MaxRequestBodyBytes = 11));

        var options = OptionsOf(provider);
        Assert.Equal((5, 11, 20), (options.MaxElections, options.MaxRequestBodyBytes, options.MaxResponseBodyBytes));
    }

    private HttpSingleFlightStrategyOptions Bind(params (string, string?)[] content) =>
        OptionsOf(ProvideClient(client => client.AddSingleFlight(new Settings(content).Prices)));
}
