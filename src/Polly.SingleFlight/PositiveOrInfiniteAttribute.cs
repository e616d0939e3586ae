using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight;

/// <summary>Accepts a positive <see cref="TimeSpan"/> and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PositiveOrInfiniteAttribute : ValidationAttribute
{
    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
    {
        if (value is TimeSpan span && (span > TimeSpan.Zero || span == System.Threading.Timeout.InfiniteTimeSpan))
        {
            return ValidationResult.Success;
        }

        var name = validationContext.MemberName ?? validationContext.DisplayName;
        return new ValidationResult(
            $"The field {name} must be greater than zero, or Timeout.InfiniteTimeSpan, and is {value}.", [name]);
    }
}
