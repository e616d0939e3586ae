using System.Diagnostics;
#if NET9_0_OR_GREATER
using Gate = System.Threading.Lock;
#else
using Gate = System.Object;
#endif

namespace Polly.SingleFlight.Flights;

/// <summary>What methods whose name ends in <c>_NeedsLock</c> begin with.</summary>
internal static class GateExtensions
{
    /// <summary>Asserts that this thread holds the gate.</summary>
    [Conditional("DEBUG")]
    public static void AssertIsHeld(this Gate gate) => Debug.Assert(
#if NET9_0_OR_GREATER
        gate.IsHeldByCurrentThread,
#else
        Monitor.IsEntered(gate),
#endif
        "A method that needs the lock was called without it.");

    /// <inheritdoc cref="AssertIsHeld(Gate)"/>
    [Conditional("DEBUG")]
    public static void AssertIsHeld(this StripeGate gate) =>
        Debug.Assert(gate.IsHeldByCurrentThread, "A method that needs the lock was called without it.");
}
