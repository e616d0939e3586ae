namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>What a callback does; the state of every call, so that all contestants call the same delegates.</summary>
internal abstract class Work
{
    public static readonly Func<ResilienceContext, Work, ValueTask<string>> Callback =
        static (_, work) => work.RunAsync();

    public static readonly Func<ResilienceContext, Work, ValueTask<Outcome<string>>> OutcomeCallback =
        static (_, work) => work.RunOutcomeAsync();

    /// <summary>For those outside Polly, who have no context.</summary>
    public static readonly Func<Work, CancellationToken, ValueTask<string>> Factory =
        static (work, _) => work.RunAsync();

    protected const string Result = "result";

    public abstract ValueTask<string> RunAsync();

    public abstract ValueTask<Outcome<string>> RunOutcomeAsync();
}
