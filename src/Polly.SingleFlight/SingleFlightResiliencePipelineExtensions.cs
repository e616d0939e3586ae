namespace Polly;

/// <summary>
/// Executes a callback under a single flight key without the ceremony of a context: rents one, sets the key, executes and returns it.
/// </summary>
public static class SingleFlightResiliencePipelineExtensions
{
    /// <summary>
    /// Executes the callback, coalesced with every other execution of an equal key and the same result type.
    /// </summary>
    /// <typeparam name="TResult">The result type of the callback.</typeparam>
    /// <param name="pipeline">The pipeline, with a single flight strategy in it.</param>
    /// <param name="key">The key; any value with value equality. The empty string bypasses.</param>
    /// <param name="callback">The callback; it is given the token of the flight, not of this caller.</param>
    /// <param name="cancellationToken">Ends this caller's wait and nobody else's.</param>
    /// <returns>The outcome of the callback that ran.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="pipeline"/>, <paramref name="key"/> or <paramref name="callback"/> is <see langword="null"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static ValueTask<TResult> ExecuteSingleFlightAsync<TResult>(
        this ResiliencePipeline pipeline,
        object key,
        Func<CancellationToken, ValueTask<TResult>> callback,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(callback);
        return pipeline.ExecuteSingleFlightAsync<TResult, Func<CancellationToken, ValueTask<TResult>>>(
            key, static (callback, token) => callback(token), callback, cancellationToken);
    }

    /// <summary>
    /// Executes the callback, coalesced with every other execution of an equal key and the same result type.
    /// </summary>
    /// <typeparam name="TResult">The result type of the callback.</typeparam>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <param name="pipeline">The pipeline, with a single flight strategy in it.</param>
    /// <param name="key">The key; any value with value equality. The empty string bypasses.</param>
    /// <param name="callback">The callback; it is given the token of the flight, not of this caller.</param>
    /// <param name="state">Given to the callback, so that it need not capture anything.</param>
    /// <param name="cancellationToken">Ends this caller's wait and nobody else's.</param>
    /// <returns>The outcome of the callback that ran.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="pipeline"/>, <paramref name="key"/> or <paramref name="callback"/> is <see langword="null"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static ValueTask<TResult> ExecuteSingleFlightAsync<TResult, TState>(
        this ResiliencePipeline pipeline,
        object key,
        Func<TState, CancellationToken, ValueTask<TResult>> callback,
        TState state,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(callback);
        return ExecuteAsync(pipeline, RentContext(key, cancellationToken), callback, state);

        static async ValueTask<TResult> ExecuteAsync(
            ResiliencePipeline pipeline, ResilienceContext context, Func<TState, CancellationToken, ValueTask<TResult>> callback, TState state)
        {
            try
            {
                return await pipeline.ExecuteAsync(
                    static (context, run) => run.callback(run.state, context.CancellationToken),
                    context,
                    (callback, state)).ConfigureAwait(context.ContinueOnCapturedContext);
            }
            finally
            {
                ResilienceContextPool.Shared.Return(context);
            }
        }
    }

    /// <summary>
    /// Executes the callback, coalesced with every other execution of an equal key and the same result type.
    /// </summary>
    /// <param name="pipeline">The pipeline, with a single flight strategy in it.</param>
    /// <param name="key">The key; any value with value equality. The empty string bypasses.</param>
    /// <param name="callback">The callback; it is given the token of the flight, not of this caller.</param>
    /// <param name="cancellationToken">Ends this caller's wait and nobody else's.</param>
    /// <returns>A task that ends with the callback that ran.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="pipeline"/>, <paramref name="key"/> or <paramref name="callback"/> is <see langword="null"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static ValueTask ExecuteSingleFlightAsync(
        this ResiliencePipeline pipeline,
        object key,
        Func<CancellationToken, ValueTask> callback,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(callback);
        return ExecuteAsync(pipeline, RentContext(key, cancellationToken), callback);

        static async ValueTask ExecuteAsync(
            ResiliencePipeline pipeline, ResilienceContext context, Func<CancellationToken, ValueTask> callback)
        {
            try
            {
                await pipeline.ExecuteAsync(
                    static (context, callback) => callback(context.CancellationToken),
                    context,
                    callback).ConfigureAwait(context.ContinueOnCapturedContext);
            }
            finally
            {
                ResilienceContextPool.Shared.Return(context);
            }
        }
    }

    /// <summary>
    /// Executes the callback, coalesced with every other execution of an equal key and the same result type.
    /// </summary>
    /// <typeparam name="T">The result type of the pipeline.</typeparam>
    /// <typeparam name="TResult">The result type of the callback.</typeparam>
    /// <param name="pipeline">The pipeline, with a single flight strategy in it.</param>
    /// <param name="key">The key; any value with value equality. The empty string bypasses.</param>
    /// <param name="callback">The callback; it is given the token of the flight, not of this caller.</param>
    /// <param name="cancellationToken">Ends this caller's wait and nobody else's.</param>
    /// <returns>The outcome of the callback that ran.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="pipeline"/>, <paramref name="key"/> or <paramref name="callback"/> is <see langword="null"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static ValueTask<TResult> ExecuteSingleFlightAsync<T, TResult>(
        this ResiliencePipeline<T> pipeline,
        object key,
        Func<CancellationToken, ValueTask<TResult>> callback,
        CancellationToken cancellationToken = default)
        where TResult : T
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(callback);
        return pipeline.ExecuteSingleFlightAsync<T, TResult, Func<CancellationToken, ValueTask<TResult>>>(
            key, static (callback, token) => callback(token), callback, cancellationToken);
    }

    /// <summary>
    /// Executes the callback, coalesced with every other execution of an equal key and the same result type.
    /// </summary>
    /// <typeparam name="T">The result type of the pipeline.</typeparam>
    /// <typeparam name="TResult">The result type of the callback.</typeparam>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <param name="pipeline">The pipeline, with a single flight strategy in it.</param>
    /// <param name="key">The key; any value with value equality. The empty string bypasses.</param>
    /// <param name="callback">The callback; it is given the token of the flight, not of this caller.</param>
    /// <param name="state">Given to the callback, so that it need not capture anything.</param>
    /// <param name="cancellationToken">Ends this caller's wait and nobody else's.</param>
    /// <returns>The outcome of the callback that ran.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="pipeline"/>, <paramref name="key"/> or <paramref name="callback"/> is <see langword="null"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static ValueTask<TResult> ExecuteSingleFlightAsync<T, TResult, TState>(
        this ResiliencePipeline<T> pipeline,
        object key,
        Func<TState, CancellationToken, ValueTask<TResult>> callback,
        TState state,
        CancellationToken cancellationToken = default)
        where TResult : T
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(callback);
        return ExecuteAsync(pipeline, RentContext(key, cancellationToken), callback, state);

        static async ValueTask<TResult> ExecuteAsync(
            ResiliencePipeline<T> pipeline, ResilienceContext context, Func<TState, CancellationToken, ValueTask<TResult>> callback, TState state)
        {
            try
            {
                return await pipeline.ExecuteAsync(
                    static (context, run) => run.callback(run.state, context.CancellationToken),
                    context,
                    (callback, state)).ConfigureAwait(context.ContinueOnCapturedContext);
            }
            finally
            {
                ResilienceContextPool.Shared.Return(context);
            }
        }
    }

    /// <summary>
    /// Executes the callback synchronously, coalesced with every other execution of an equal key and the same result type. A follower blocks its
    /// thread until the flight has ended.
    /// </summary>
    /// <typeparam name="TResult">The result type of the callback.</typeparam>
    /// <param name="pipeline">The pipeline, with a single flight strategy in it.</param>
    /// <param name="key">The key; any value with value equality. The empty string bypasses.</param>
    /// <param name="callback">The callback; it is given the token of the flight, not of this caller.</param>
    /// <param name="cancellationToken">Ends this caller's wait and nobody else's.</param>
    /// <returns>The outcome of the callback that ran.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="pipeline"/>, <paramref name="key"/> or <paramref name="callback"/> is <see langword="null"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static TResult ExecuteSingleFlight<TResult>(
        this ResiliencePipeline pipeline,
        object key,
        Func<CancellationToken, TResult> callback,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(callback);
        var context = RentContext(key, cancellationToken);
        try
        {
            return pipeline.Execute(static (context, callback) => callback(context.CancellationToken), context, callback);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>
    /// Executes the callback synchronously, coalesced with every other execution of an equal key that has no result. A follower blocks its thread
    /// until the flight has ended.
    /// </summary>
    /// <param name="pipeline">The pipeline, with a single flight strategy in it.</param>
    /// <param name="key">The key; any value with value equality. The empty string bypasses.</param>
    /// <param name="callback">The callback; it is given the token of the flight, not of this caller.</param>
    /// <param name="cancellationToken">Ends this caller's wait and nobody else's.</param>
    /// <exception cref="ArgumentNullException"><paramref name="pipeline"/>, <paramref name="key"/> or <paramref name="callback"/> is <see langword="null"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static void ExecuteSingleFlight(
        this ResiliencePipeline pipeline,
        object key,
        Action<CancellationToken> callback,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(callback);
        var context = RentContext(key, cancellationToken);
        try
        {
            pipeline.Execute(static (context, callback) => callback(context.CancellationToken), context, callback);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>
    /// Executes the callback synchronously, coalesced with every other execution of an equal key and the same result type. A follower blocks its
    /// thread until the flight has ended.
    /// </summary>
    /// <typeparam name="T">The result type of the pipeline.</typeparam>
    /// <typeparam name="TResult">The result type of the callback.</typeparam>
    /// <param name="pipeline">The pipeline, with a single flight strategy in it.</param>
    /// <param name="key">The key; any value with value equality. The empty string bypasses.</param>
    /// <param name="callback">The callback; it is given the token of the flight, not of this caller.</param>
    /// <param name="cancellationToken">Ends this caller's wait and nobody else's.</param>
    /// <returns>The outcome of the callback that ran.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="pipeline"/>, <paramref name="key"/> or <paramref name="callback"/> is <see langword="null"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static TResult ExecuteSingleFlight<T, TResult>(
        this ResiliencePipeline<T> pipeline,
        object key,
        Func<CancellationToken, TResult> callback,
        CancellationToken cancellationToken = default)
        where TResult : T
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(callback);
        var context = RentContext(key, cancellationToken);
        try
        {
            return pipeline.Execute(static (context, callback) => callback(context.CancellationToken), context, callback);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static ResilienceContext RentContext(object key, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.SetSingleFlightKey(key);
        return context;
    }
}
