namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>What a callback does; the state of every call, so that all contestants call the same two delegates.</summary>
internal abstract class Work
{
    public static readonly Func<ResilienceContext, Work, ValueTask<string>> Callback =
        static (_, work) => work.RunAsync();

    public static readonly Func<ResilienceContext, Work, ValueTask<Outcome<string>>> OutcomeCallback =
        static (_, work) => work.RunOutcomeAsync();

    protected const string Result = "result";

    public abstract ValueTask<string> RunAsync();

    public virtual async ValueTask<Outcome<string>> RunOutcomeAsync() => Outcome.FromResult(await RunAsync().ConfigureAwait(false));
}
