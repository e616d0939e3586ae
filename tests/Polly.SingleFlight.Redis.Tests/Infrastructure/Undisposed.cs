using System.Reflection;

namespace Polly.SingleFlight.Redis.Tests.Infrastructure;

/// <summary>A connection that is not ended by those who are given it.</summary>
public class Undisposed : DispatchProxy
{
    private IConnectionMultiplexer _inner = null!;

    public static IConnectionMultiplexer Of(IConnectionMultiplexer inner)
    {
        var proxy = Create<IConnectionMultiplexer, Undisposed>();
        ((Undisposed)(object)proxy)._inner = inner;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
    {
        "Dispose" => null,
        "DisposeAsync" => default(ValueTask),
        _ => targetMethod.Invoke(_inner, args),
    };
}
