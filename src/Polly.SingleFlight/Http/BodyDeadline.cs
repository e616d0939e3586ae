namespace Polly.SingleFlight.Http;

/// <summary>
/// Bounds how long followers wait for a body that does not say how long it is. When it passes, the reading goes on for the leader, so
/// a token of its own ends that.
/// </summary>
internal sealed class BodyDeadline : IDisposable
{
    /// <summary>The longest time that a timer takes; nobody lives to see that a longer one is infinite.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(int.MaxValue);

    private readonly CancellationTokenSource _timer = new();
    private readonly Task _passed;

    /// <param name="wait">How long they wait.</param>
    /// <param name="clock">The clock of the wait.</param>
    /// <param name="flightToken">The token that ends the reading of the flight.</param>
    public BodyDeadline(TimeSpan wait, TimeProvider clock, CancellationToken flightToken)
    {
        Reading = CancellationTokenSource.CreateLinkedTokenSource(flightToken);
        _passed = Task.Delay(wait > s_longest ? System.Threading.Timeout.InfiniteTimeSpan : wait, clock, _timer.Token);
    }

    /// <summary>Ends the reading. It is not disposed, because the leader may still be reading; the flight that it is linked to ends before.</summary>
    public CancellationTokenSource Reading { get; }

    public bool HasPassed => _passed.IsCompleted;

    /// <summary>Waits for an operation; false if the deadline passes first.</summary>
    public async ValueTask<bool> IsMetByAsync(Task operation) =>
        operation.IsCompleted || await Task.WhenAny(operation, _passed).ConfigureAwait(false) == operation;

    public void Dispose()
    {
        _timer.Cancel();
        _timer.Dispose();
    }
}
