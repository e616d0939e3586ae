using Microsoft.Extensions.Configuration;

namespace Polly.SingleFlight.Extensions.Configuration;

/// <summary>A section that options are set from; the name is null for the options of all clients.</summary>
internal sealed record BoundSection(string? OptionsName, IConfiguration Section)
{
    /// <summary>The full path of the key of an option, or null when the section does not have it.</summary>
    public string? PathOf(string? optionsName, string option) =>
        (OptionsName is null || OptionsName == optionsName)
            && Section.GetChildren().FirstOrDefault(child => child.Key.Equals(option, StringComparison.OrdinalIgnoreCase)) is { } entry
            ? entry.Path
            : null;
}
