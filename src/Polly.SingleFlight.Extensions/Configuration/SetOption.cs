using System.Buffers;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Configuration;

/// <summary>An option that is written as a list.</summary>
/// <param name="Name">The key.</param>
/// <param name="Expected">What an item is.</param>
/// <param name="Adds">Whether the items are added to what the option holds; otherwise they replace it.</param>
/// <param name="Set">Sets the content of the option.</param>
internal sealed record SetOption(string Name, string Expected, bool Adds, Action<HttpSingleFlightStrategyOptions, IEnumerable<string>> Set)
{
    /// <summary>The characters of a token of RFC 9110, section 5.6.2, which methods and header names are.</summary>
    private static readonly SearchValues<char> s_token = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    /// <summary>All of them; those that add come after those that replace, and are set in this order.</summary>
    public static IReadOnlyList<SetOption> All { get; } =
    [
        Of(nameof(HttpSingleFlightStrategyOptions.Methods), "an HTTP method", adds: false, static options => options.Methods, static text => new HttpMethod(text.ToUpperInvariant())),
        OfHeaders(nameof(HttpSingleFlightStrategyOptions.ExcludedHeaders), adds: false, static options => options.ExcludedHeaders),
        OfHeaders(nameof(HttpSingleFlightStrategyOptions.HarmlessHeaders), adds: false, static options => options.HarmlessHeaders),
        OfHeaders(nameof(HttpSingleFlightStrategyOptions.BypassHeaders), adds: false, static options => options.BypassHeaders),
        OfHeaders("AdditionalExcludedHeaders", adds: true, static options => options.ExcludedHeaders),
        OfHeaders("AdditionalHarmlessHeaders", adds: true, static options => options.HarmlessHeaders),
    ];

    public static bool IsToken(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExcept(s_token);

    private static SetOption OfHeaders(string name, bool adds, Func<HttpSingleFlightStrategyOptions, ISet<string>> get) =>
        Of(name, "the name of a header", adds, get, static text => text);

    private static SetOption Of<T>(
        string name, string expected, bool adds, Func<HttpSingleFlightStrategyOptions, ISet<T>> get, Func<string, T> convert) =>
        new(name, expected, adds, (options, items) =>
        {
            var set = get(options);
            if (!adds)
            {
                set.Clear();
            }

            foreach (var item in items)
            {
                set.Add(convert(item));
            }
        });
}
