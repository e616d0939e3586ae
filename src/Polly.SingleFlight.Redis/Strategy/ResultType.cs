namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>What the type of a result means for handing it over.</summary>
internal static class ResultType<TResult>
{
    public static readonly bool IsDisposable = ResultType.IsDisposable(typeof(TResult));

    /// <summary>Executions without a result have one of a type that is Polly's own.</summary>
    public static readonly bool IsVoid = typeof(TResult).Assembly == typeof(ResilienceContext).Assembly && typeof(TResult).Name == "VoidResult";
}

/// <inheritdoc cref="ResultType{TResult}"/>
internal static class ResultType
{
    public static bool IsDisposable(Type type) => typeof(IDisposable).IsAssignableFrom(type) || typeof(IAsyncDisposable).IsAssignableFrom(type);

    /// <summary>Why results of a disposable type are refused, and what to share instead.</summary>
    public static string Refusal(Type type) => typeof(HttpResponseMessage).IsAssignableFrom(type)
        ? "An HttpResponseMessage cannot be handed over to other nodes: it can be read only once. Share what was read: put the strategy in a ResiliencePipeline of the deserialized " +
            "type, around the call of the client."
        : $"A {type.Name} is disposable, so it cannot be handed over to other nodes. Share what was read from it, in a ResiliencePipeline of a type that is not disposable.";
}
