using System.Globalization;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>A figure that the design promises, and how to print a measured one beside it.</summary>
internal sealed record Goal(double Limit, bool IsMinimum, string Format)
{
    public static readonly Goal SynchronousRatio = new(2.5, IsMinimum: false, "0.00x");
    public static readonly Goal AsynchronousRatio = new(1.45, IsMinimum: false, "0.00x");
    public static readonly Goal SynchronousBytes = new(240, IsMinimum: false, "0 B");
    public static readonly Goal BypassBytes = new(0, IsMinimum: false, "0 B");
    public static readonly Goal FollowerBytes = new(495, IsMinimum: false, "0 B");
    public static readonly Goal FollowerBytesWithToken = new(775, IsMinimum: false, "0 B");
    public static readonly Goal ReleaseRatio = new(1.5, IsMinimum: false, "0.00x");
    public static readonly Goal ThroughputRatio = new(1, IsMinimum: true, "0.00x");

    public static readonly Goal HttpNanoseconds = new(3000, IsMinimum: false, "0 ns");
    public static readonly Goal HttpBytes = new(2048, IsMinimum: false, "0 B");
    public static readonly Goal CacheHitBytes = new(0, IsMinimum: false, "0 B");
    public static readonly Goal HttpFollowerBytes = new(1024, IsMinimum: false, "0 B");

    public string Judge(double measured)
    {
        var isMet = IsMinimum ? measured >= Limit : measured <= Limit;
        return $"{Print(measured)} ({(isMet ? "met" : "MISSED")}, goal {(IsMinimum ? "≥" : "≤")} {Print(Limit)})";
    }

    private string Print(double figure) => figure.ToString(Format.Replace("x", "'x'", StringComparison.Ordinal).Replace("ns", "'ns'", StringComparison.Ordinal), CultureInfo.InvariantCulture);
}
