using System.Globalization;

namespace Polly.SingleFlight.Benchmarks.Quick;

/// <summary>A figure that the design promises, and how to print a measured one beside it.</summary>
/// <param name="Limit">The figure that is still good enough.</param>
/// <param name="IsMinimum">Whether more is better.</param>
/// <param name="Unit">What is printed behind a figure.</param>
/// <param name="Decimals">How many digits a figure has after the point.</param>
internal sealed record Goal(double Limit, bool IsMinimum, string Unit, int Decimals = 0)
{
    public static readonly Goal SynchronousRatio = AtMostTimes(4.0);
    public static readonly Goal SynchronousRatioWithReusedToken = AtMostTimes(4.6);
    public static readonly Goal SynchronousBytes = AtMostBytes(232);
    public static readonly Goal AsynchronousRatio = AtMostTimes(1.6);
    public static readonly Goal AsynchronousBytes = AtMostBytes(240);
    public static readonly Goal BypassRatio = AtMostTimes(1.3);
    public static readonly Goal BypassBytes = AtMostBytes(0);

    public static readonly Goal ThroughputOnOneKey = AtLeastTimes(1.1);
    public static readonly Goal ThroughputOnManyKeys = AtLeastTimes(1.0);
    public static readonly Goal JoinNanoseconds = AtMostNanoseconds(270);
    public static readonly Goal FollowerBytes = AtMostBytes(632);
    public static readonly Goal ReleaseRatio = AtMostTimes(1.1);
    public static readonly Goal ReleaseRatioWithOwnTokens = AtMostTimes(1.3);

    public static readonly Goal HttpNanoseconds = AtMostNanoseconds(1300);
    public static readonly Goal HttpBytes = AtMostBytes(1843);
    public static readonly Goal HttpFollowerBytes = AtMostBytes(1024);
    public static readonly Goal CacheHitBytes = AtMostBytes(0);
    public static readonly Goal MemoryHitRatio = AtMostTimes(2.9);
    public static readonly Goal HybridHitRatio = AtMostTimes(1.5);

    /// <summary>A time is as noisy as the machine is busy; a ratio and a number of bytes are not.</summary>
    private bool IsNoisy => Unit == " ns";

    public string Judge(double measured)
    {
        var isMet = IsMinimum ? measured >= Limit : measured <= Limit;
        var verdict = $"{(isMet ? "met" : "MISSED")}, goal {(IsMinimum ? "≥" : "≤")} {Print(Limit)}{(IsNoisy ? ", noisy" : "")}";
        return $"{Print(measured)} ({verdict})";
    }

    private static Goal AtMostTimes(double limit) => new(limit, IsMinimum: false, "x", Decimals: 2);

    private static Goal AtLeastTimes(double limit) => new(limit, IsMinimum: true, "x", Decimals: 2);

    private static Goal AtMostBytes(double limit) => new(limit, IsMinimum: false, " B");

    private static Goal AtMostNanoseconds(double limit) => new(limit, IsMinimum: false, " ns");

    private string Print(double figure) => figure.ToString($"F{Decimals}", CultureInfo.InvariantCulture) + Unit;
}
