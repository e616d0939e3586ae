using System.Globalization;

namespace Polly.SingleFlight.Soak;

/// <summary>How results of one type carry the execution they come from.</summary>
internal interface IResultKind<TResult>
{
    static abstract TResult Create(Execution execution);

    /// <summary>The execution, or null when it is too long ago.</summary>
    static abstract Execution? Identify(TResult result, World world);
}

internal readonly struct NumberKind : IResultKind<int>
{
    public static int Create(Execution execution) => execution.Id;

    public static Execution? Identify(int result, World world) => world.Ledger.Find(result);
}

internal readonly struct TextKind : IResultKind<string>
{
    public static string Create(Execution execution) => execution.Id.ToString(CultureInfo.InvariantCulture);

    public static Execution? Identify(string result, World world) =>
        world.Ledger.Find(int.Parse(result, CultureInfo.InvariantCulture));
}

internal readonly struct ReceiptKind : IResultKind<Execution>
{
    public static Execution Create(Execution execution) => execution;

    public static Execution Identify(Execution result, World world) => result;
}

internal readonly struct LeaseKind : IResultKind<Lease>
{
    public static Lease Create(Execution execution) =>
        (execution.Id & 1) == 0 ? new Lease(execution, isCopy: false) : new AsyncLease(execution, isCopy: false);

    public static Execution Identify(Lease result, World world) => result.Execution;
}
