namespace Polly.SingleFlight.Tests.Infrastructure;

/// <summary>
/// The base of tests that fly: a group, options whose events are counted, and after every test the validator, which finds
/// flights left in the table, unobserved exceptions and failed assertions.
/// </summary>
public abstract class FlightTest : IAsyncLifetime
{
    public const string Started = "started";
    public const string Joined = "joined";
    public const string Completed = "completed";
    public const string Abandoned = "abandoned";
    public const string Bypassed = "bypassed";

    public SingleFlightGroup Group { get; protected set; } = new();

    public Probe Probe { get; } = new();

    public SignallingClock Clock { get; } = new();

    public List<BypassReason> Reasons { get; } = [];

    public ValueTask InitializeAsync() => default;

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(0, Group.ActiveFlights);
        Assert.Empty(Group.GetFlights());
        var faults = Faults.Take();
        Assert.True(faults is [], string.Join(Environment.NewLine, faults));
        return default;
    }

    public T Watched<T>(T options)
        where T : SingleFlightStrategyOptions
    {
        options.Group = Group;
        options.OnFlightStarted += _ => Hit(Started);
        options.OnFlightJoined += _ => Hit(Joined);
        options.OnFlightCompleted += _ => Hit(Completed);
        options.OnFlightAbandoned += _ => Hit(Abandoned);
        options.OnFlightBypassed += args =>
        {
            lock (Reasons)
            {
                Reasons.Add(args.Reason);
            }

            return Hit(Bypassed);
        };
        return options;
    }

    public SingleFlightStrategyOptions Watched() => Watched(new SingleFlightStrategyOptions());

    public ResiliencePipeline Build(SingleFlightStrategyOptions? options = null) =>
        new ResiliencePipelineBuilder { TimeProvider = Clock }.AddSingleFlight(options ?? Watched()).Build();

    public ResiliencePipeline<T> Build<T>(SingleFlightStrategyOptions<T> options) =>
        new ResiliencePipelineBuilder<T> { TimeProvider = Clock }.AddSingleFlight(options).Build();

    /// <summary>Starts a caller of the key with a context of its own, which it gives back when it is done.</summary>
    public static Task<T> Call<T>(
        ResiliencePipeline pipeline,
        object key,
        Func<ResilienceContext, Task<T>> callback,
        CancellationToken token = default,
        Action<ResilienceContext>? before = null,
        Action<ResilienceContext>? after = null)
    {
        return CallAsync(pipeline, key, callback, token, before, after).Soon();

        static async Task<T> CallAsync(
            ResiliencePipeline pipeline,
            object key,
            Func<ResilienceContext, Task<T>> callback,
            CancellationToken token,
            Action<ResilienceContext>? before,
            Action<ResilienceContext>? after)
        {
            var context = ResilienceContextPool.Shared.Get(token);
            try
            {
                context.SetSingleFlightKey(key);
                before?.Invoke(context);
                return await pipeline.ExecuteAsync(
                    static async (context, callback) => await callback(context), context, callback);
            }
            finally
            {
                after?.Invoke(context);
                ResilienceContextPool.Shared.Return(context);
            }
        }
    }

    /// <summary>As <see cref="Call{T}(ResiliencePipeline, object, Func{ResilienceContext, Task{T}}, CancellationToken, Action{ResilienceContext}?, Action{ResilienceContext}?)"/> on a typed pipeline.</summary>
    public static async Task<T> Call<T>(
        ResiliencePipeline<T> pipeline,
        object key,
        Func<ResilienceContext, Task<T>> callback,
        CancellationToken token = default,
        Action<ResilienceContext>? after = null)
    {
        var context = ResilienceContextPool.Shared.Get(token);
        try
        {
            context.SetSingleFlightKey(key);
            return await pipeline.ExecuteAsync(
                static async (context, callback) => await callback(context), context, callback).Soon();
        }
        finally
        {
            after?.Invoke(context);
            ResilienceContextPool.Shared.Return(context);
        }
    }

    public static async Task<OperationCanceledException> IsCanceledBy(Task task, CancellationToken token)
    {
        var exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        Assert.Equal(token, exception.CancellationToken);
        return exception;
    }

    private ValueTask Hit(string name)
    {
        Probe.Hit(name);
        return default;
    }
}
