using System.Net;
using System.Security;
using System.Security.Authentication;

namespace Polly.SingleFlight.Caching;

/// <summary>The failures that the default of <see cref="CacheStrategyOptions{TResult}.ShouldHandle"/> answers with a stale result.</summary>
internal static class TransientFailures
{
    /// <summary>
    /// A failure counts as transient unless it says that the caller was refused, since then the old result is no longer valid either. An exception that wraps another says no
    /// more than that one, except that something rejected the call or that no response came.
    /// </summary>
    public static bool Includes(Exception? exception) => exception switch
    {
        null => false,
        OperationCanceledException => exception.InnerException is TimeoutException,
        HttpRequestException { StatusCode: { } status } => (int)status >= 500 || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests,
        FlightCanceledException => false,
        UnauthorizedAccessException or AuthenticationException or SecurityException => false,
        AggregateException { InnerExceptions: var inner } => inner.All(Includes),
        ExecutionRejectedException or TimeoutException => true,
        HttpRequestException => exception.InnerException is not OperationCanceledException { InnerException: not TimeoutException },
        _ => exception.InnerException is null || Includes(exception.InnerException),
    };
}
