using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight.Caching;

/// <summary>Accepts a positive time span, and none.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PositiveAttribute() : ValidationAttribute("The field {0} must be greater than zero.")
{
    public override bool IsValid(object? value) => value is null || (value is TimeSpan span && span > TimeSpan.Zero);
}
