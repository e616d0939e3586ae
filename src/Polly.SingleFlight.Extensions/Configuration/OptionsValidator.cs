using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Configuration;

/// <summary>
/// Asks of the options what the strategy asks when it is added, so that a host does not start with options that no client
/// could be created with.
/// </summary>
/// <param name="optionsName">The name of the options, or null for all.</param>
/// <param name="sections">Where the options may be from, to name the key.</param>
internal sealed class OptionsValidator(string? optionsName, IEnumerable<BoundSection> sections) : IValidateOptions<HttpSingleFlightStrategyOptions>
{
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(HttpSingleFlightStrategyOptions))]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The options that are validated are kept by the dynamic dependency.")]
    public ValidateOptionsResult Validate(string? name, HttpSingleFlightStrategyOptions options)
    {
        if (optionsName is not null && optionsName != name)
        {
            return ValidateOptionsResult.Skip;
        }

        List<ValidationResult> results = [];
        return Validator.TryValidateObject(options, new ValidationContext(options), results, validateAllProperties: true)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(results.Select(result => Describe(name, result)));
    }

    private string Describe(string? name, ValidationResult result) =>
        result.MemberNames.SelectMany(member => sections.Select(section => section.PathOf(name, member))).LastOrDefault(path => path is not null) is { } path
            ? $"{path}: {result.ErrorMessage}"
            : $"{result.ErrorMessage}";
}
