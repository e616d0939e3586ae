namespace Polly.SingleFlight.Tests.Flights;

/// <summary>What libraries make of a cancellation on its way to whoever awaits it.</summary>
public static class CancellationForms
{
    /// <summary>Only the exact token in a time-out tells that the time-out was somebody's cancellation.</summary>
    public const string TimedOut = "TimeoutException";

    private static readonly Dictionary<string, Func<OperationCanceledException, Exception>> s_forms = new()
    {
        ["as it is"] = static e => e,
        ["of another type"] = static e => new RpcLikeException("Status(StatusCode=\"Cancelled\")", e),
        ["HttpRequestException"] = static e => new HttpRequestException("sending failed", e),
        ["AggregateException"] = static e => new AggregateException(e),
        ["nested"] = static e => new RpcLikeException("call", new HttpRequestException("sending failed", new IOException("aborted", e))),
        ["aggregates in each other"] = static e => new AggregateException(new FormatException(), new AggregateException(new AggregateException(e))),
        ["second of several"] = static e => new AggregateException(new FormatException(), e),
        ["time-out beside it"] = static e => new AggregateException(new TimeoutException(), e),
        ["cancellation without a token"] = static e => new TaskCanceledException("again", e),
        [TimedOut] = static e => new TimeoutException("too late", e),
    };

    public static IEnumerable<string> Names => s_forms.Keys;

    public static Exception Make(string form, OperationCanceledException exception) => s_forms[form](exception);
}

/// <summary>As a client for gRPC or SQL throws it: no kind of <see cref="OperationCanceledException"/>.</summary>
public sealed class RpcLikeException(string message, Exception? innerException = null) : Exception(message, innerException);
