using Polly.Timeout;

namespace Polly.SingleFlight.Flights;

/// <summary>
/// The cancellations in an exception: it may be one, or have one somewhere inside it. A client for gRPC or SQL throws an exception
/// of its own around it, and code that blocks gets an <see cref="AggregateException"/>.
/// </summary>
/// <remarks>
/// A time-out looks like a cancellation, but is explained by a <see cref="TimeoutException"/> or a <see cref="TimeoutRejectedException"/> above
/// or below it. The exceptions of an aggregate do not explain each other.
/// </remarks>
internal sealed class Cancellations
{
    private readonly List<CancellationToken> _tokens = [];

    private Cancellations()
    {
    }

    /// <summary>Whether one of them is not a time-out. It may be that of any token, since a token can be linked to another in ways that do not show.</summary>
    public bool AreUnexplained { get; private set; }

    /// <summary>Whether one of them carries a token that has fired.</summary>
    public bool HaveFired { get; private set; }

    /// <summary>The cancellations in the exception, or null when there are none. Runs no foreign code.</summary>
    public static Cancellations? In(Exception? exception)
    {
        Cancellations? found = null;
        Stack<(Exception, bool)>? others = null;
        HashSet<AggregateException>? seen = null;
        var isTimeOut = false;
        while (exception is not null)
        {
            exception = ReadChain(exception, ref isTimeOut, ref found);
            if (exception is AggregateException aggregate && (seen ??= new(ReferenceEqualityComparer.Instance)).Add(aggregate))
            {
                foreach (var inner in aggregate.InnerExceptions)
                {
                    (others ??= new()).Push((inner, isTimeOut));
                }
            }

            (exception, isTimeOut) = others is { Count: > 0 } ? others.Pop() : default;
        }

        return found;
    }

    /// <summary>Whether one of them, a time-out or not, carries this very token.</summary>
    public bool Carry(CancellationToken token) => token.CanBeCanceled && _tokens.Contains(token);

    /// <summary>Reads a chain of exceptions to its end, or to the aggregate at which it branches, which is returned.</summary>
    private static Exception? ReadChain(Exception first, ref bool isTimeOut, ref Cancellations? found)
    {
        var hasCancellation = false;
        Exception? end = first;
        for (; end is not (null or AggregateException { InnerExceptions.Count: not 1 }); end = end.InnerException)
        {
            hasCancellation |= end is OperationCanceledException;
            isTimeOut |= end is TimeoutException or TimeoutRejectedException;
        }

        if (hasCancellation)
        {
            found ??= new();
            for (var link = first; link != end; link = link!.InnerException)
            {
                if (link is OperationCanceledException canceled)
                {
                    found.Add(isTimeOut, canceled.CancellationToken);
                }
            }
        }

        return end;
    }

    private void Add(bool isTimeOut, CancellationToken token)
    {
        AreUnexplained |= !isTimeOut;
        HaveFired |= token.IsCancellationRequested;
        if (token.CanBeCanceled && !_tokens.Contains(token))
        {
            _tokens.Add(token);
        }
    }
}
