namespace Polly.SingleFlight.Http;

/// <summary>
/// Limits how long followers wait for a body of unknown length. After the deadline the body is read for the leader alone, so the reading has
/// a token of its own.
/// </summary>
internal sealed class BodyDeadline : IDisposable
{
    /// <summary>The longest time that a timer accepts, 24 days. A longer wait is infinite.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(int.MaxValue);

    private readonly CancellationTokenSource _timer = new();
    private readonly Task _passed;

    /// <param name="wait">How long followers wait.</param>
    /// <param name="clock">The clock of the wait.</param>
    /// <param name="flightToken">The token that ends the reading of the flight.</param>
    public BodyDeadline(TimeSpan wait, TimeProvider clock, CancellationToken flightToken)
    {
        Reading = CancellationTokenSource.CreateLinkedTokenSource(flightToken);
        _passed = Task.Delay(wait > s_longest ? System.Threading.Timeout.InfiniteTimeSpan : wait, clock, _timer.Token);
    }

    /// <summary>
    /// Cancels the reading; linked to the flight's token. It is not disposed, because the leader may read on after the deadline.
    /// </summary>
    public CancellationTokenSource Reading { get; }

    public bool HasPassed => _passed.IsCompleted;

    /// <summary>Waits for an operation. Returns false if the deadline passes first.</summary>
    public async ValueTask<bool> IsMetByAsync(Task operation) =>
        operation.IsCompleted || await Task.WhenAny(operation, _passed).ConfigureAwait(false) == operation;

    public void Dispose()
    {
        _timer.Cancel();
        _timer.Dispose();
    }
}
