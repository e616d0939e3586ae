using Polly.SingleFlight.Benchmarks.Contestants;

namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>One caller after the other: rent a context, set the key, execute, return the context.</summary>
internal sealed class UncontendedCalls(Completion completion, Entry entry, TokenUse tokens)
{
    private const string Key = "key";

    private static readonly CancellationTokenSource s_reused = new();

    private readonly Work _work = completion == Completion.Synchronous ? new ImmediateWork() : new DeferredWork();

    public Task RunAsync(Contestant contestant, int calls) =>
        entry == Entry.ExecuteAsync ? ExecuteAsync(contestant, calls) : ExecuteOutcomesAsync(contestant, calls);

    /// <summary>The same through the extension method that rents, keys and returns the context itself.</summary>
    public async Task RunConvenienceAsync(ResiliencePipeline pipeline, int calls)
    {
        for (var i = 0; i < calls; i++)
        {
            using var fresh = FreshSource();
            await pipeline.ExecuteSingleFlightAsync(Key, static (work, _) => work.RunAsync(), _work, TokenOf(fresh)).ConfigureAwait(false);
        }
    }

    private async Task ExecuteAsync(Contestant contestant, int calls)
    {
        for (var i = 0; i < calls; i++)
        {
            using var fresh = FreshSource();
            var context = ResilienceContextPool.Shared.Get(TokenOf(fresh));
            contestant.SetKey(context, Key);
            await contestant.ExecuteAsync(Key, context, _work).ConfigureAwait(false);
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task ExecuteOutcomesAsync(Contestant contestant, int calls)
    {
        for (var i = 0; i < calls; i++)
        {
            using var fresh = FreshSource();
            var context = ResilienceContextPool.Shared.Get(TokenOf(fresh));
            contestant.SetKey(context, Key);
            await contestant.ExecuteOutcomeAsync(Key, context, _work).ConfigureAwait(false);
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private CancellationTokenSource? FreshSource() => tokens == TokenUse.Fresh ? new() : null;

    private CancellationToken TokenOf(CancellationTokenSource? fresh) =>
        fresh?.Token ?? (tokens == TokenUse.Reused ? s_reused.Token : CancellationToken.None);
}
