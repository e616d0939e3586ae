using System.Globalization;

namespace FlightRecorder;

/// <summary>Times as texts.</summary>
internal static class Seconds
{
    private static readonly double[] s_factors = [1, 2, 5, 10];

    public static string Of(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.000} s");

    public static string Of(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.###} s");

    /// <summary>A length between two marks of an axis, so that there are at most that many.</summary>
    public static double Step(double length, int marks)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(length, 1e-6) / marks)));
        return s_factors.Select(factor => factor * power).First(step => length / step <= marks);
    }
}
