namespace Polly.SingleFlight.Tests.Interception;

/// <summary>An execution as a strategy outside single flight makes it.</summary>
internal static class InterceptedCall
{
    public static async Task<string> Run(
        ResiliencePipeline<string> pipeline,
        string? key,
        FlightInterceptor? interceptor,
        Func<ResilienceContext, Task<string>> callback,
        CancellationToken token = default,
        Action<ResilienceContext>? after = null)
    {
        var context = ResilienceContextPool.Shared.Get(token);
        try
        {
            context.SetSingleFlightKey(key);
            context.SetFlightInterceptor(interceptor);
            return await pipeline.ExecuteAsync(static async (context, callback) => await callback(context), context, callback).Soon();
        }
        finally
        {
            after?.Invoke(context);
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
