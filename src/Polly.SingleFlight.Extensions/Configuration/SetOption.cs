using System.Buffers;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Configuration;

/// <summary>An option that is written as a list, which replaces what the option held.</summary>
/// <param name="Name">The name of the option, which is its key.</param>
/// <param name="Expected">What an item is.</param>
/// <param name="Replace">Replaces the content of the set.</param>
internal sealed record SetOption(string Name, string Expected, Action<HttpSingleFlightStrategyOptions, IEnumerable<string>> Replace)
{
    /// <summary>The characters of a token of RFC 9110, section 5.6.2, which methods and header names are.</summary>
    private static readonly SearchValues<char> s_token = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    public static IReadOnlyList<SetOption> All { get; } =
    [
        Of(nameof(HttpSingleFlightStrategyOptions.Methods), "an HTTP method", static options => options.Methods, static text => new HttpMethod(text.ToUpperInvariant())),
        Of(nameof(HttpSingleFlightStrategyOptions.ExcludedHeaders), "the name of a header", static options => options.ExcludedHeaders, static text => text),
        Of(nameof(HttpSingleFlightStrategyOptions.BypassHeaders), "the name of a header", static options => options.BypassHeaders, static text => text),
    ];

    public static bool IsToken(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExcept(s_token);

    private static SetOption Of<T>(string name, string expected, Func<HttpSingleFlightStrategyOptions, ISet<T>> get, Func<string, T> convert) =>
        new(name, expected, (options, items) =>
        {
            var set = get(options);
            set.Clear();
            foreach (var item in items)
            {
                set.Add(convert(item));
            }
        });
}
