using Polly.SingleFlight;

namespace HttpClientDemo;

/// <summary>What there is to see of a wave at one moment.</summary>
/// <param name="Elapsed">Time since the first caller.</param>
/// <param name="Crowd">The callers.</param>
/// <param name="Flights">The flights in the air, as the library shows them.</param>
/// <param name="Calls">Requests that have arrived at the endpoint.</param>
internal sealed record Sight(TimeSpan Elapsed, Crowd Crowd, IReadOnlyList<FlightSnapshot> Flights, int Calls);

/// <summary>Shows waves in plain lines.</summary>
internal class View
{
    /// <summary>Gets a view that is redrawn if there is a terminal that may show it, else one of plain lines.</summary>
    public static View Create()
    {
        if (!Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb" && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")))
        {
            return new LiveView();
        }

        // Before its first text .NET's console switches a terminal that is able to it into another mode of its keypad, by an escape code.
        Environment.SetEnvironmentVariable("TERM", "dumb");
        return new View();
    }

    protected virtual TimeSpan Interval => TimeSpan.FromSeconds(1);

    public virtual void Begin(Wave wave, string callers)
    {
        Console.WriteLine();
        Console.WriteLine($"== {wave.Title}: {callers}");
        Console.WriteLine($"   {wave.Headline}");
    }

    public virtual void Say(string text) => Console.WriteLine(text);

    public virtual void End(Result result) => Console.WriteLine(result);

    /// <summary>Shows what there is to see until the wave has ended, however it did.</summary>
    public virtual async Task WatchAsync(Task wave, Func<Sight> look)
    {
        while (await Task.WhenAny(wave, Task.Delay(Interval, CancellationToken.None)) != wave)
        {
            Show(look());
        }
    }

    protected virtual void Show(Sight sight)
    {
        var flights = string.Join(", ", sight.Flights.OrderByDescending(static flight => flight.Age)
            .Select(static flight => $"{flight.Key} {flight.CallerCount} callers {flight.Age.TotalSeconds:0.0} s"));
        Console.WriteLine($"{sight.Elapsed.TotalSeconds,5:0.0} s: {sight.Crowd.Arrived} callers arrived, {sight.Crowd.Done} done, "
            + $"{sight.Calls} upstream calls, in the air: {(flights.Length > 0 ? flights : "none")}");
    }
}
