using System.ComponentModel;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>What docs/dependency-injection.md says about configuration, held against the options.</summary>
public sealed partial class ConfigurationDocumentTests
{
    private const string Document = "docs/dependency-injection.md";
    private const string Section = "SingleFlight:Prices";

    [Fact]
    public void JsonBlock_IsBound()
    {
        var json = JsonBlock().Match(DocsTests.Read(Document)).Groups["text"].Value;
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));

        var options = Bind(new ConfigurationBuilder().AddJsonStream(stream).Build());

        Assert.Equal(TimeSpan.FromSeconds(10), options.MaxJoinAge);
        Assert.Equal([HttpMethod.Get], options.Methods);
        Assert.Superset(new HttpSingleFlightStrategyOptions().ExcludedHeaders, options.ExcludedHeaders);
        Assert.Contains("X-Trace", options.ExcludedHeaders);
    }

    [Fact]
    public void Table_SaysTheDefaultOfEverySingleValue()
    {
        var defaults = new HttpSingleFlightStrategyOptions();
        var rows = Row().Matches(ConfigurationChapter()).ToDictionary(static row => row.Groups["key"].Value, static row => row.Groups["default"].Value);
        var properties = TypeDescriptor.GetProperties(defaults).Cast<PropertyDescriptor>()
            .Where(static property => property.PropertyType.IsValueType || property.PropertyType == typeof(string)).ToArray();

        Assert.Equal(properties.Select(static property => property.Name).Order(), rows.Keys.Order());
        Assert.All(properties, property => Assert.Equal(Write(property.GetValue(defaults)), rows[property.Name]));
    }

    [Fact]
    public void Table_SaysEveryKeyThatTheErrorNames()
    {
        var error = Assert.Throws<OptionsValidationException>(() => Bind(Configuration("MaxJoinAgo", "1"))).Message;

        Assert.StartsWith($"{Section}:MaxJoinAgo is not an option of single flight. The options are Name, MaxJoinAge, ", error, StringComparison.Ordinal);
        var keys = error[(error.IndexOf("are ", StringComparison.Ordinal) + 4)..].TrimEnd('.').Split(", ");
        Assert.All(keys, key => Assert.Contains($"`{key}`", ConfigurationChapter(), StringComparison.Ordinal));
    }

    [Fact]
    public void ErrorBlock_IsWhatIsThrown()
    {
        var error = Assert.Throws<OptionsValidationException>(() => Bind(Configuration("MaxElections", "-1"))).Message;

        Assert.Contains($"\n{error}\n", DocsTests.Read(Document), StringComparison.Ordinal);
    }

    private static IConfiguration Configuration(string key, string value) =>
        new ConfigurationBuilder().AddInMemoryCollection([new($"{Section}:{key}", value)]).Build();

    private static HttpSingleFlightStrategyOptions Bind(IConfiguration configuration)
    {
        var services = new ServiceCollection().AddLogging();
        services.AddOptions<HttpSingleFlightStrategyOptions>("prices").BindSingleFlight(configuration.GetSection(Section));
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptionsMonitor<HttpSingleFlightStrategyOptions>>().Get("prices");
    }

    private static string ConfigurationChapter()
    {
        var text = DocsTests.Read(Document);
        var start = text.IndexOf("## Configuration\n", StringComparison.Ordinal);
        return text[start..text.IndexOf("\n## ", start + 1, StringComparison.Ordinal)];
    }

    private static string Write(object? value) => value switch
    {
        TimeSpan span => span == System.Threading.Timeout.InfiniteTimeSpan ? "infinite" : span.ToString("c", CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    [GeneratedRegex(@"```json\n(?<text>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();

    [GeneratedRegex(@"^\| `(?<key>\w+)` \| [^|]+ \| `(?<default>[\w.:]+)` \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
