using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight.Caching;

/// <summary>Accepts a time span of zero or more.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NotNegativeAttribute() : ValidationAttribute("The field {0} must not be negative.")
{
    public override bool IsValid(object? value) => value is TimeSpan span && span >= TimeSpan.Zero;
}
