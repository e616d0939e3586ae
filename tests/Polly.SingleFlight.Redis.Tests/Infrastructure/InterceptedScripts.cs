using System.Reflection;

namespace Polly.SingleFlight.Redis.Tests.Infrastructure;

/// <summary>A connection over which a test decides what becomes of each script.</summary>
public class InterceptedScripts : DispatchProxy
{
    private object _inner = null!;
    private Func<string, Func<Task<RedisResult>>, Task<RedisResult>> _intercept = null!;

    /// <param name="inner">The connection itself.</param>
    /// <param name="intercept">Given the script and what sends it, returns the answer.</param>
    public static IConnectionMultiplexer Create(IConnectionMultiplexer inner, Func<string, Func<Task<RedisResult>>, Task<RedisResult>> intercept) => Wrap(inner, intercept);

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(IDatabase.ScriptEvaluateAsync) && args is [string script, ..])
        {
            return _intercept(script, () => (Task<RedisResult>)targetMethod.Invoke(_inner, args)!);
        }

        return targetMethod.Invoke(_inner, args) is var result && result is IDatabase database ? Wrap(database, _intercept) : result;
    }

    private static T Wrap<T>(T inner, Func<string, Func<Task<RedisResult>>, Task<RedisResult>> intercept)
        where T : class
    {
        var proxy = Create<T, InterceptedScripts>();
        ((InterceptedScripts)(object)proxy)._inner = inner;
        ((InterceptedScripts)(object)proxy)._intercept = intercept;
        return proxy;
    }
}
