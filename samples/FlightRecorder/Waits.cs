namespace FlightRecorder;

/// <summary>How long callers waited, and how long they would have.</summary>
/// <param name="With">Waits of callers, in seconds, the shortest first.</param>
/// <param name="Without">Waits without single flight.</param>
/// <param name="IsEstimate">Whether those were estimated.</param>
internal sealed record Waits(IReadOnlyList<double> With, IReadOnlyList<double> Without, bool IsEstimate)
{
    public static Waits Of(Recording recording, IReadOnlyList<TimeSpan>? measured)
    {
        var with = new List<double>();
        var without = new List<double>();
        foreach (var flight in recording.Flights.Where(static flight => flight.End is not null))
        {
            var length = (flight.End!.Value - flight.Start).TotalSeconds;
            without.AddRange(Enumerable.Repeat(length, flight.Followers.Count + (flight.IsRefresh ? 0 : 1)));
            with.AddRange(flight.Followers.Select(static follower => follower.Wait.TotalSeconds));
            if (!flight.IsRefresh)
            {
                with.Add(length);
            }
        }

        // A hit does not wait, as far as anything here can tell.
        with.AddRange(Enumerable.Repeat(0.0, (int)Math.Min(1_000_000, recording.Sections.Sum(static section => section.CacheHits))));
        return new([.. with.Order()], measured is null ? [.. without.Order()] : [.. measured.Select(static wait => wait.TotalSeconds).Order()], measured is null);
    }

    public static string At(IReadOnlyList<double> waits, double share) =>
        waits.Count == 0 ? "-" : Seconds.Of(TimeSpan.FromSeconds(waits[Math.Max(1, (int)Math.Ceiling(waits.Count * share)) - 1]));
}
