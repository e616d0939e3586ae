using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight;

/// <summary>Accepts time spans of zero or more.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NotNegativeAttribute : ValidationAttribute
{
    public NotNegativeAttribute()
        : base("The field {0} must not be negative.")
    {
    }

    public override bool IsValid(object? value) => value is TimeSpan span && span >= TimeSpan.Zero;
}
