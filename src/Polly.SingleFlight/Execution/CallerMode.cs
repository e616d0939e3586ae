using System.Runtime.CompilerServices;

namespace Polly.SingleFlight.Execution;

/// <summary>Finds whether a caller blocks its thread, which decides how its wait may be completed (S12).</summary>
/// <remarks>Polly keeps that internal. Should a later version name it otherwise, every caller counts as one that may block.</remarks>
internal static class CallerMode
{
    private static readonly bool s_canRead = CanRead();

    /// <summary>Whether the execution may be one of <c>Execute</c>, whose caller blocks until its task completes.</summary>
    public static bool MayBlock(ResilienceContext context) => !s_canRead || IsSynchronous(context);

    private static bool CanRead()
    {
        var context = ResilienceContextPool.Shared.Get(CancellationToken.None);
        try
        {
            return !IsSynchronous(context);
        }
        catch (MissingMethodException)
        {
            return false;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_IsSynchronous")]
    private static extern bool IsSynchronous(ResilienceContext context);
}
