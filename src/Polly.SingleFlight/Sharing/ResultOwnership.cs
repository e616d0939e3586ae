namespace Polly.SingleFlight.Sharing;

/// <summary>
/// Determines whether a result may have one receiver only, and disposes a result without a receiver. The declared type decides (S10): a caller that
/// asks for a disposable type disposes the result that it gets.
/// </summary>
internal static class ResultOwnership<TResult>
{
    public static readonly bool IsExclusive = ResultOwnership.IsExclusive(typeof(TResult));

    /// <summary>Disposes a result that no caller received. Does not throw.</summary>
    public static async ValueTask DisposeUnreceivedAsync(Outcome<TResult> outcome)
    {
        if (!IsExclusive || outcome.Exception is not null)
        {
            return;
        }

        try
        {
            switch (outcome.Result)
            {
                case IAsyncDisposable result:
                    await result.DisposeAsync().ConfigureAwait(false);
                    break;
                case IDisposable result:
                    result.Dispose();
                    break;
                default:
                    break;
            }
        }
        catch (Exception)
        {
            // No caller waits that could get the exception of the disposal.
        }
    }
}

/// <inheritdoc cref="ResultOwnership{TResult}"/>
internal static class ResultOwnership
{
    public static bool IsExclusive(Type declared) =>
        typeof(IDisposable).IsAssignableFrom(declared) || typeof(IAsyncDisposable).IsAssignableFrom(declared);

    public static InvalidOperationException CannotShare(Type declared) => declared == typeof(HttpResponseMessage)
        ? new(
            "An HttpResponseMessage can be read only once, so callers cannot share one. Build the pipeline with " +
            "new ResiliencePipelineBuilder<HttpResponseMessage>() and call AddSingleFlight() without options or with " +
            "HttpSingleFlightStrategyOptions, which give each caller a response of its own, or options whose ResultCloner does.")
        : new(
            $"A {declared.Name} is disposable, so callers cannot share one: the first to dispose it would take it from the others. " +
            $"Build the pipeline with new ResiliencePipelineBuilder<{declared.Name}>() and give AddSingleFlight a " +
            $"SingleFlightStrategyOptions<{declared.Name}> whose ResultCloner makes a copy for each follower, or share a result " +
            "that is not disposable, such as the deserialized content.");
}
