using System.Reflection;
using Polly.SingleFlight.Redis.Engine;

namespace Polly.SingleFlight.Redis.Tests.Infrastructure;

/// <summary>A connection over which some acquisitions, or the subscription, are answered late: when the test lets them.</summary>
public class SlowAnswers : DispatchProxy
{
    private object _inner = null!;
    private Func<string?, Task?> _hold = null!;

    /// <param name="inner">The connection itself.</param>
    /// <param name="hold">Given the leader that is followed, empty for a newcomer, or null for the subscription, says for what the answer waits; null if for nothing.</param>
    public static IConnectionMultiplexer Create(IConnectionMultiplexer inner, Func<string?, Task?> hold) => Wrap(inner, hold);

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var result = targetMethod!.Invoke(_inner, args);
        if (result is IDatabase database)
        {
            return Wrap(database, _hold);
        }

        if (result is ISubscriber subscriber)
        {
            return Wrap(subscriber, _hold);
        }

        if (targetMethod.Name == nameof(ISubscriber.SubscribeAsync) && result is Task subscription && _hold(null) is { } subscribed)
        {
            return Task.WhenAll(subscription, subscribed);
        }

        return targetMethod.Name == nameof(IDatabase.ScriptEvaluateAsync) && args is [Scripts.Acquire, _, RedisValue[] values, ..] && _hold(values[5]) is { } until
            ? AnswerAsync((Task<RedisResult>)result!, until)
            : result;
    }

    private static T Wrap<T>(T inner, Func<string?, Task?> hold)
        where T : class
    {
        var proxy = Create<T, SlowAnswers>();
        ((SlowAnswers)(object)proxy)._inner = inner;
        ((SlowAnswers)(object)proxy)._hold = hold;
        return proxy;
    }

    private static async Task<RedisResult> AnswerAsync(Task<RedisResult> answer, Task until)
    {
        await until;
        return await answer;
    }
}
