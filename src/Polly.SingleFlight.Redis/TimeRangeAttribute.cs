using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight.Redis;

/// <summary>Accepts time spans between two numbers of seconds, and infinite ones where that is said. What is not above <c>moreThan</c> is refused.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TimeRangeAttribute(double atLeast, double atMost) : ValidationAttribute
{
    public bool AllowsInfinite { get; set; }

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
    {
        if (value is TimeSpan span
            && ((span > TimeSpan.Zero && span.TotalSeconds >= atLeast && span.TotalSeconds <= atMost)
                || (AllowsInfinite && span == System.Threading.Timeout.InfiniteTimeSpan)))
        {
            return ValidationResult.Success;
        }

        var name = validationContext.MemberName ?? validationContext.DisplayName;
        return new ValidationResult($"The field {name} must be greater than zero, in its range{(AllowsInfinite ? ", or Timeout.InfiniteTimeSpan" : "")}, and is {value}.", [name]);
    }
}
