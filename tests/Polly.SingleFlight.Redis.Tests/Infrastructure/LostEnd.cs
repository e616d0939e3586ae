using System.Reflection;
using Polly.SingleFlight.Redis.Engine;

namespace Polly.SingleFlight.Redis.Tests.Infrastructure;

/// <summary>A connection that breaks when a flight is ended, with the command on its way. The command is heard, and the connection whole again, when the test lets it.</summary>
public class LostEnd : DispatchProxy
{
    private object _inner = null!;
    private State _state = null!;

    public static (IConnectionMultiplexer Connection, Func<Task> Hear) Create(IConnectionMultiplexer inner)
    {
        var state = new State();
        return (Wrap(inner, state), HearAsync);

        Task HearAsync()
        {
            state.IsWhole = true;
            return state.First!();
        }
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(IDatabase.ScriptEvaluateAsync) && args is [Scripts.End, ..] && !_state.IsWhole)
        {
            _state.First ??= () => (Task)targetMethod.Invoke(_inner, args)!;
            return Task.FromException<RedisResult>(new RedisException("The test has cut it."));
        }

        return targetMethod.Invoke(_inner, args) is var result && result is IDatabase database ? Wrap(database, _state) : result;
    }

    private static T Wrap<T>(T inner, State state)
        where T : class
    {
        var proxy = Create<T, LostEnd>();
        ((LostEnd)(object)proxy)._inner = inner;
        ((LostEnd)(object)proxy)._state = state;
        return proxy;
    }

    private sealed class State
    {
        public volatile bool IsWhole;

        public Func<Task>? First { get; set; }
    }
}
