using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Configuration;

/// <summary>
/// Sets options from a configuration section. Nothing in the section is passed over: what cannot be set is an error that names
/// its key, and all errors are reported at once.
/// </summary>
/// <remarks>
/// The framework's binder, with its source generator too, leaves out unknown keys and a set of <see cref="HttpMethod"/> without
/// a word, adds to the defaults of a set instead of replacing them, and takes 30 for thirty days. Without reflection this one is
/// also ready for NativeAOT.
/// </remarks>
internal static class SectionBinder
{
    private static readonly Dictionary<string, ScalarOption> s_scalars =
        ScalarOption.All.ToDictionary(static option => option.Name, StringComparer.OrdinalIgnoreCase);

    private static readonly Dictionary<string, SetOption> s_sets =
        SetOption.All.ToDictionary(static option => option.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>What only code can set: an object and delegates.</summary>
    internal static IReadOnlySet<string> NotBindable { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        nameof(HttpSingleFlightStrategyOptions.Group),
        nameof(HttpSingleFlightStrategyOptions.KeyGenerator),
        nameof(HttpSingleFlightStrategyOptions.Discriminator),
        nameof(HttpSingleFlightStrategyOptions.ShouldShare),
        nameof(HttpSingleFlightStrategyOptions.ResultCloner),
        nameof(HttpSingleFlightStrategyOptions.OnFlightStarted),
        nameof(HttpSingleFlightStrategyOptions.OnFlightJoined),
        nameof(HttpSingleFlightStrategyOptions.OnFlightCompleted),
        nameof(HttpSingleFlightStrategyOptions.OnFlightAbandoned),
        nameof(HttpSingleFlightStrategyOptions.OnFlightBypassed),
    };

    /// <exception cref="OptionsValidationException">The section is invalid; the options may be set in part.</exception>
    public static void Bind(IConfiguration section, string? optionsName, HttpSingleFlightStrategyOptions options)
    {
        List<string> errors = [];
        if (section is IConfigurationSection { Value: { Length: > 0 } } scalar)
        {
            errors.Add($"{scalar.Path} is a single value; options of single flight are keys below it.");
        }

        // What adds to a list comes after what replaces it, however the keys are sorted.
        foreach (var entry in section.GetChildren().OrderBy(static entry => s_sets.TryGetValue(entry.Key, out var set) && set.Adds))
        {
            if (Set(entry, options) is { } error)
            {
                errors.Add(error);
            }
        }

        if (errors.Count > 0)
        {
            throw new OptionsValidationException(optionsName ?? Options.DefaultName, typeof(HttpSingleFlightStrategyOptions), errors);
        }
    }

    private static string? Set(IConfigurationSection entry, HttpSingleFlightStrategyOptions options) =>
        s_scalars.TryGetValue(entry.Key, out var scalar) ? SetScalar(entry, scalar, options)
        : s_sets.TryGetValue(entry.Key, out var set) ? SetList(entry, set, options)
        : NotBindable.Contains(entry.Key) ? $"{entry.Path} cannot be set from configuration. Set it where the options are configured in code."
        : $"{entry.Path} is not an option of single flight. The options are {string.Join(", ", s_scalars.Keys.Concat(s_sets.Keys))}.";

    private static string? SetScalar(IConfigurationSection entry, ScalarOption option, HttpSingleFlightStrategyOptions options) =>
        entry.GetChildren().Any() ? $"{entry.Path} has keys below it; expected is a single value: {option.Expected}."
        : entry.Value is null ? $"{entry.Path} has no value; expected is {option.Expected}."
        : !option.TrySet(options, entry.Value) ? $"{entry.Path} is '{entry.Value}'; expected is {option.Expected}."
        : null;

    /// <summary>An empty list reads as an empty or missing value; which one depends on the source.</summary>
    private static string? SetList(IConfigurationSection entry, SetOption option, HttpSingleFlightStrategyOptions options)
    {
        if (!string.IsNullOrEmpty(entry.Value))
        {
            return $"{entry.Path} is a single value; expected is a list, whose first item has the key {entry.Path}:0.";
        }

        List<string> items = [];
        foreach (var item in entry.GetChildren())
        {
            if (!int.TryParse(item.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                return $"{item.Path} is not an item of a list; expected are keys such as {entry.Path}:0.";
            }

            if (item.Value?.Trim() is not { } text || !SetOption.IsToken(text) || item.GetChildren().Any())
            {
                return $"{item.Path} is not {option.Expected}.";
            }

            items.Add(text);
        }

        option.Set(options, items);
        return null;
    }
}
