namespace FlightRecorder;

/// <summary>Where moments are drawn.</summary>
/// <param name="Start">The left end.</param>
/// <param name="Length">The time from there to the right end.</param>
internal sealed record TimeScale(DateTimeOffset Start, TimeSpan Length)
{
    public static TimeScale Of(Recording recording)
    {
        var start = recording.Flights.Min(static flight => flight.Start);
        start = recording.Sections.Select(static section => section.Start).Where(section => section < start).Append(start).Min();
        var end = recording.Flights.Max(flight => flight.End ?? recording.End);
        end = recording.Flights.SelectMany(static flight => flight.Followers).Select(static follower => follower.Left).Append(end).Max();
        return new(start, end > start ? end - start : TimeSpan.FromMilliseconds(1));
    }

    /// <summary>The place of a moment, in percent of the width.</summary>
    public double At(DateTimeOffset moment) => Math.Clamp((moment - Start) / Length * 100, 0, 100);
}
