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

    /// <summary>Whether <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>, which is negative, is accepted too.</summary>
    public bool OrInfinite { get; init; }

    public override bool IsValid(object? value) =>
        value is TimeSpan span && (span >= TimeSpan.Zero || (OrInfinite && span == System.Threading.Timeout.InfiniteTimeSpan));
}
