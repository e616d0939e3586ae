using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights;

/// <summary>Exceptions of unusual shapes.</summary>
public sealed class CancellationsTests
{
    [Fact]
    public void In_ALongChain_IsReadToItsEnd()
    {
        using var source = new CancellationTokenSource();
        Exception exception = new OperationCanceledException(source.Token);
        for (var i = 0; i < 100_000; i++)
        {
            exception = i % 3 == 0 ? new OperationCanceledException("again", exception) : new InvalidOperationException("again", exception);
        }

        Assert.True(Cancellations.In(exception)!.Carry(source.Token));
    }

    [Fact]
    public void In_AggregatesThatShareTheirExceptions_IsReadOnce()
    {
        using var source = new CancellationTokenSource();
        var exception = new AggregateException(new OperationCanceledException(source.Token), new FormatException());
        for (var i = 0; i < 100; i++)
        {
            exception = new AggregateException(exception, exception);
        }

        Assert.True(Cancellations.In(exception)!.Carry(source.Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void In_TimeOutInAnotherBranch_DoesNotExplainIt(bool timeOutIsFirst)
    {
        using var source = new CancellationTokenSource();
        Exception[] branches = [new TimeoutException(), new OperationCanceledException(source.Token)];
        var exception = new AggregateException(timeOutIsFirst ? branches : [branches[1], branches[0]]);

        Assert.True(Cancellations.In(exception)!.AreUnexplained);
    }

    [Fact]
    public void In_TimeOutAboveTheBranches_ExplainsIt()
    {
        using var source = new CancellationTokenSource();
        var canceled = new OperationCanceledException(source.Token);

        Assert.False(Cancellations.In(new TimeoutException("late", new AggregateException(new FormatException(), canceled)))!.AreUnexplained);
        Assert.False(Cancellations.In(new TimeoutException("late", new AggregateException(canceled, new FormatException())))!.AreUnexplained);
    }

    [Fact]
    public void In_NoCancellation_IsNull()
    {
        Assert.Null(Cancellations.In(null));
        Assert.Null(Cancellations.In(new AggregateException()));
        Assert.Null(Cancellations.In(new TimeoutException("late", new AggregateException(new FormatException(), new IOException()))));
    }
}
