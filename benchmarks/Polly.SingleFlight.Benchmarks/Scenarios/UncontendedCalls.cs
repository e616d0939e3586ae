using Polly.SingleFlight.Benchmarks.Contestants;

namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>One caller after the other: rent a context, set the key, execute, return the context, as far as the contestant needs that.</summary>
internal sealed class UncontendedCalls(Completion completion, TokenUse tokens)
{
    private const string Key = "key";

    private static readonly CancellationTokenSource s_reused = new();

    private readonly Work _work = completion == Completion.Synchronous ? new ImmediateWork() : new YieldingWork();

    public async Task RunAsync(Contestant contestant, int calls)
    {
        for (var i = 0; i < calls; i++)
        {
            using var fresh = FreshSource();
            var token = TokenOf(fresh);
            var context = contestant.Rent(Key, token);
            await contestant.ExecuteAsync(Key, context, _work, token).ConfigureAwait(false);
            contestant.Return(context);
        }
    }

    /// <summary>The same through the method that returns outcomes.</summary>
    public async Task RunOutcomesAsync(PipelineContestant contestant, int calls)
    {
        for (var i = 0; i < calls; i++)
        {
            using var fresh = FreshSource();
            var context = contestant.Rent(Key, TokenOf(fresh));
            await contestant.ExecuteOutcomeAsync(context, _work).ConfigureAwait(false);
            contestant.Return(context);
        }
    }

    /// <summary>The same through the extension method that rents, keys and returns the context itself.</summary>
    public async Task RunConvenienceAsync(ResiliencePipeline pipeline, int calls)
    {
        for (var i = 0; i < calls; i++)
        {
            using var fresh = FreshSource();
            await pipeline.ExecuteSingleFlightAsync(Key, static (work, _) => work.RunAsync(), _work, TokenOf(fresh)).ConfigureAwait(false);
        }
    }

    /// <summary>The first or the second, by the method of the pipeline.</summary>
    public Task RunAsync(PipelineContestant contestant, Entry entry, int calls) =>
        entry == Entry.ExecuteAsync ? RunAsync(contestant, calls) : RunOutcomesAsync(contestant, calls);

    private CancellationTokenSource? FreshSource() => tokens == TokenUse.Fresh ? new() : null;

    private CancellationToken TokenOf(CancellationTokenSource? fresh) =>
        fresh?.Token ?? (tokens == TokenUse.Reused ? s_reused.Token : CancellationToken.None);
}
