using System.Threading.Channels;

namespace HttpClientDemo;

/// <summary>The background refreshes that have ended, for whoever waits for them.</summary>
internal sealed class Refreshes
{
    private readonly Channel<Exception?> _ended = Channel.CreateUnbounded<Exception?>();

    /// <summary>A refresh has ended, with this error or with a token.</summary>
    public void Add(Exception? error) => _ended.Writer.TryWrite(error);

    /// <summary>Waits until so many more have ended.</summary>
    /// <returns>What went wrong: an error for each that failed, and one if some had not ended in time.</returns>
    /// <exception cref="OperationCanceledException">The demo was stopped.</exception>
    public async Task<IReadOnlyList<Exception>> WaitAsync(int count, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var errors = new List<Exception>();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            for (var i = 0; i < count; i++)
            {
                if (await _ended.Reader.ReadAsync(limit.Token) is { } error)
                {
                    errors.Add(error);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            errors.Add(new TimeoutException($"not all of {count} refreshes ended within {timeout}"));
        }

        return errors;
    }
}
