using System.Globalization;
using System.Numerics;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Configuration;

/// <summary>An option that is written as one value.</summary>
/// <param name="Name">The name of the option, which is its key.</param>
/// <param name="Expected">What to write, for the error when something else was written.</param>
/// <param name="TrySet">Sets the option; false when the value is not what is expected.</param>
internal sealed record ScalarOption(string Name, string Expected, Func<HttpSingleFlightStrategyOptions, string, bool> TrySet)
{
    private const string Infinite = "infinite";

    public static IReadOnlyList<ScalarOption> All { get; } =
    [
        new(nameof(HttpSingleFlightStrategyOptions.Name), "text", static (options, value) =>
        {
            options.Name = value;
            return true;
        }),
        Of<TimeSpan>(
            nameof(HttpSingleFlightStrategyOptions.MaxJoinAge),
            "a time span such as 00:00:30, or infinite",
            ParseTimeSpanOrInfinite,
            static (options, value) => options.MaxJoinAge = value),
        OfEnum<LeaderDeparture>(nameof(HttpSingleFlightStrategyOptions.LeaderDeparture), static (options, value) => options.LeaderDeparture = value),
        OfEnum<UnsharedOutcome>(nameof(HttpSingleFlightStrategyOptions.UnsharedOutcome), static (options, value) => options.UnsharedOutcome = value),
        OfNumber<int>(nameof(HttpSingleFlightStrategyOptions.MaxElections), static (options, value) => options.MaxElections = value),
        OfBool(nameof(HttpSingleFlightStrategyOptions.CancelWhenAbandoned), static (options, value) => options.CancelWhenAbandoned = value),
        OfBool(nameof(HttpSingleFlightStrategyOptions.DetectReentrancy), static (options, value) => options.DetectReentrancy = value),
        OfNumber<int>(nameof(HttpSingleFlightStrategyOptions.MaxRequestBodyBytes), static (options, value) => options.MaxRequestBodyBytes = value),
        OfNumber<int>(nameof(HttpSingleFlightStrategyOptions.MaxResponseBodyBytes), static (options, value) => options.MaxResponseBodyBytes = value),
        OfNumber<long>(nameof(HttpSingleFlightStrategyOptions.MaxTotalBufferedBytes), static (options, value) => options.MaxTotalBufferedBytes = value),
        OfBool(nameof(HttpSingleFlightStrategyOptions.ShareNoStoreResponses), static (options, value) => options.ShareNoStoreResponses = value),
        OfBool(nameof(HttpSingleFlightStrategyOptions.ShareSetCookieResponses), static (options, value) => options.ShareSetCookieResponses = value),
        OfBool(nameof(HttpSingleFlightStrategyOptions.GuardCredentials), static (options, value) => options.GuardCredentials = value),
        OfBool(nameof(HttpSingleFlightStrategyOptions.KeepHandlerOrder), static (options, value) => options.KeepHandlerOrder = value),
        Of<TimeSpan>(
            nameof(HttpSingleFlightStrategyOptions.MaxBodyWait),
            "a time span such as 00:00:01, or infinite",
            ParseTimeSpanOrInfinite,
            static (options, value) => options.MaxBodyWait = value),
        Of<TimeSpan>(
            nameof(HttpSingleFlightStrategyOptions.UnshareableDuration),
            "a time span such as 00:00:30",
            ParseTimeSpan,
            static (options, value) => options.UnshareableDuration = value),
    ];

    private static ScalarOption OfBool(string name, Action<HttpSingleFlightStrategyOptions, bool> set) =>
        Of<bool>(name, "true or false", static text => bool.TryParse(text, out var value) ? value : null, set);

    private static ScalarOption OfNumber<T>(string name, Action<HttpSingleFlightStrategyOptions, T> set)
        where T : struct, IBinaryInteger<T>
        => Of(
            name,
            $"a whole number of at most {8 * T.Zero.GetByteCount()} bits",
            static text => T.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : (T?)null,
            set);

    private static ScalarOption OfEnum<T>(string name, Action<HttpSingleFlightStrategyOptions, T> set)
        where T : struct, Enum
        => Of(name, string.Join(" or ", Enum.GetNames<T>()), ParseName<T>, set);

    private static ScalarOption Of<T>(string name, string expected, Func<string, T?> parse, Action<HttpSingleFlightStrategyOptions, T> set)
        where T : struct
        => new(name, expected, (options, text) =>
        {
            if (parse(text.Trim()) is not { } value)
            {
                return false;
            }

            set(options, value);
            return true;
        });

    private static TimeSpan? ParseTimeSpanOrInfinite(string text) =>
        text.Equals(Infinite, StringComparison.OrdinalIgnoreCase) ? System.Threading.Timeout.InfiniteTimeSpan : ParseTimeSpan(text);

    /// <summary>A plain number would be a number of days, which is seldom what is meant by 30.</summary>
    private static TimeSpan? ParseTimeSpan(string text) =>
        text.Contains(':') && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span) ? span : null;

    /// <summary>Takes names only: a number tells the reader of a configuration nothing, and any number would do.</summary>
    private static T? ParseName<T>(string text)
        where T : struct, Enum
        => Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase) ? Enum.Parse<T>(text, ignoreCase: true) : null;
}
