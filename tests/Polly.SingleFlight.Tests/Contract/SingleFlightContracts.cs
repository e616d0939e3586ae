namespace Polly.SingleFlight.Tests.Contract;

public sealed class NonGenericAsyncContract : SingleFlightContract
{
    private readonly ResiliencePipeline _pipeline;

    public NonGenericAsyncContract() => _pipeline = Build();

    protected override Task<string> Call(
        object key, Func<ResilienceContext, Task<string>> callback, CancellationToken token, Action<ResilienceContext>? after) =>
        Call(_pipeline, key, callback, token, after: after);
}

public sealed class GenericAsyncContract : SingleFlightContract
{
    private readonly ResiliencePipeline<string> _pipeline;

    public GenericAsyncContract() => _pipeline = Build(Watched(new SingleFlightStrategyOptions<string>()));

    protected override Task<string> Call(
        object key, Func<ResilienceContext, Task<string>> callback, CancellationToken token, Action<ResilienceContext>? after) =>
        Call(_pipeline, key, callback, token, after);
}

/// <summary>The same with a predicate and a cloner in the way, so that the longer path to the followers is under contract too.</summary>
public sealed class GenericAsyncSharingContract : SingleFlightContract
{
    private readonly ResiliencePipeline<string> _pipeline;

    public GenericAsyncSharingContract() => _pipeline = Build(Watched(new SingleFlightStrategyOptions<string>
    {
        ShouldShare = async _ =>
        {
            await Task.Yield();
            return true;
        },
        ResultCloner = async args =>
        {
            await Task.Yield();
            return args.Result;
        },
    }));

    protected override Task<string> Call(
        object key, Func<ResilienceContext, Task<string>> callback, CancellationToken token, Action<ResilienceContext>? after) =>
        Call(_pipeline, key, callback, token, after);
}

public sealed class NonGenericSyncContract : SingleFlightContract
{
    private readonly ResiliencePipeline _pipeline;

    public NonGenericSyncContract() => _pipeline = Build();

    protected override bool LeaderLeavesAtOnce => false;

    protected override Task<string> Call(
        object key, Func<ResilienceContext, Task<string>> callback, CancellationToken token, Action<ResilienceContext>? after) =>
        SyncCall.Start(key, token, after, context => _pipeline.Execute(
            static (context, callback) => callback(context).GetAwaiter().GetResult(), context, callback));
}

public sealed class GenericSyncContract : SingleFlightContract
{
    private readonly ResiliencePipeline<string> _pipeline;

    public GenericSyncContract() => _pipeline = Build(Watched(new SingleFlightStrategyOptions<string>()));

    protected override bool LeaderLeavesAtOnce => false;

    protected override Task<string> Call(
        object key, Func<ResilienceContext, Task<string>> callback, CancellationToken token, Action<ResilienceContext>? after) =>
        SyncCall.Start(key, token, after, context => _pipeline.Execute(
            static (context, callback) => callback(context).GetAwaiter().GetResult(), context, callback));
}
