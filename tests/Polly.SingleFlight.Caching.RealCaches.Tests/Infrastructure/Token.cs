namespace Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;

/// <summary>A result that callers can change, as most results can be.</summary>
public sealed class Token
{
    public string Value { get; set; } = "";

    public bool IsPersonal { get; set; }
}
