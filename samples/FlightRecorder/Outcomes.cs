namespace FlightRecorder;

/// <summary>How an outcome of a flight is drawn: a style, a sign for those who do not see colours, and a text.</summary>
/// <param name="Style">Style of the bar.</param>
/// <param name="Sign">Sign in the bar.</param>
/// <param name="Text">Text for tables.</param>
internal sealed record Outcomes(string Style, string Sign, string Text)
{
    public static Outcomes Success { get; } = new("success", "✓", "success");

    public static Outcomes Failure { get; } = new("failure", "✗", "failure");

    public static Outcomes Abandoned { get; } = new("abandoned", "∅", "abandoned by all callers");

    public static Outcomes InTheAir { get; } = new("open", "…", "in the air");

    public static Outcomes Of(RecordedFlight flight) => flight.Outcome switch
    {
        "success" => Success,
        "failure" => Failure,
        "abandoned" => Abandoned,
        _ when flight.End is null => InTheAir,
        null => new("other", "?", "unknown"),
        var other => new("other", "○", other.Replace('_', ' ')),
    };
}
