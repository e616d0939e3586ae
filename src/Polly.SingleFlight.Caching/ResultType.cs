namespace Polly.SingleFlight.Caching;

/// <summary>What the type of an execution's result means for a cache.</summary>
internal static class ResultType<TResult>
{
    /// <summary>A caller that asks for a disposable type disposes what it gets, so such a result can have one receiver only.</summary>
    public static readonly bool IsDisposable = ResultType.IsDisposable(typeof(TResult));

    /// <summary>Executions without a result have one of a type that is Polly's own.</summary>
    public static readonly bool IsVoid = typeof(TResult).Assembly == typeof(ResilienceContext).Assembly && typeof(TResult).Name == "VoidResult";
}

/// <inheritdoc cref="ResultType{TResult}"/>
internal static class ResultType
{
    public static bool IsDisposable(Type type) => typeof(IDisposable).IsAssignableFrom(type) || typeof(IAsyncDisposable).IsAssignableFrom(type);
}
