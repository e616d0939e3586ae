namespace HttpClientDemo;

/// <summary>The clock of the token pipeline. It is put forward, so that tokens expire without anybody waiting for an hour.</summary>
internal sealed class DemoClock : TimeProvider
{
    private long _ahead;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => System.GetElapsedTime(0).Ticks + Volatile.Read(ref _ahead);

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Volatile.Read(ref _ahead));

    public void Advance(TimeSpan time) => Interlocked.Add(ref _ahead, time.Ticks);
}
