using System.Reflection;
using StackExchange.Redis;
using StackExchange.Redis.KeyspaceIsolation;

namespace Polly.SingleFlight.Redis.Tests.Infrastructure;

/// <summary>A connection whose databases put a prefix in front of each key; for the rest the connection itself.</summary>
public class PrefixedConnection : DispatchProxy
{
    private IConnectionMultiplexer _inner = null!;
    private string _prefix = "";

    public static IConnectionMultiplexer Create(IConnectionMultiplexer inner, string prefix)
    {
        var proxy = Create<IConnectionMultiplexer, PrefixedConnection>();
        ((PrefixedConnection)(object)proxy)._inner = inner;
        ((PrefixedConnection)(object)proxy)._prefix = prefix;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var result = targetMethod!.Invoke(_inner, args);
        return result is IDatabase database ? database.WithKeyPrefix(_prefix) : result;
    }
}
