using System.Reflection;
using Polly.SingleFlight.Redis.Engine;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>When a late command says that Redis hangs. The slot of a key is its first letter here.</summary>
public sealed class HealthTests : IDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(1);

    private readonly Health _health = new(Stub.Create<IDatabase>());

    public void Dispose() => _health.Stop();

    [Fact]
    public void Late_WhenNothingWasAnswered_Hangs()
    {
        _health.WasLate("a1", s_timeout);
        Assert.False(_health.IsUp("a1"));
    }

    [Fact]
    public void Late_WhenAnotherWasAnsweredAMomentAgo_IsUp()
    {
        _health.Answered("a1", TimeProvider.System.GetTimestamp());
        _health.WasLate("a2", s_timeout);
        Assert.True(_health.IsUp("a2"));
    }

    [Fact]
    public void Late_WhenTheLastAnswerIsOlderThanHalfOfItsTime_Hangs()
    {
        _health.Answered("a1", TimeProvider.System.GetTimestamp() - (31 * TimeProvider.System.TimestampFrequency));
        _health.WasLate("a2", s_timeout);
        Assert.False(_health.IsUp("a2"));
    }

    /// <summary>In a cluster one server says nothing of another.</summary>
    [Fact]
    public void Late_WhenOnlyAnotherServerAnswers_Hangs()
    {
        _health.Answered("b1", TimeProvider.System.GetTimestamp());
        _health.WasLate("a1", s_timeout);
        Assert.False(_health.IsUp("a1"));
    }

    public class Stub : DispatchProxy
    {
        public static T Create<T>()
            where T : class
            => Create<T, Stub>();

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
        {
            "get_Multiplexer" => Create<IConnectionMultiplexer>(),
            nameof(IConnectionMultiplexer.GetHashSlot) => (int)((RedisKey)args![0]!).ToString()[0],
            nameof(IDatabase.IsConnected) => true,
            nameof(IDatabase.KeyExistsAsync) => new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously).Task,
            _ => throw new NotSupportedException(targetMethod.Name),
        };
    }
}
