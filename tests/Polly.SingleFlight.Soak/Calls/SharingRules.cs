namespace Polly.SingleFlight.Soak;

/// <summary>Predicates and cloners of every shape, and what they check.</summary>
internal static class SharingRules
{
    public static ValueTask<bool> ShouldShareAsync<TResult>(ShouldSharePredicateArguments<TResult> args)
    {
        var execution = ExecutionOf(args.Context);
        if (execution.AskToShare() > 1)
        {
            execution.Call.World.Violations.Add("S7 asked twice whether to share", execution.ToString());
        }

        var draw = execution.Id % 16;
        execution.IsUnshared = draw < 6;
        return draw switch
        {
            0 => throw new SoakException(execution, Fault.Thrown),
            1 or 2 or 3 or 10 or 11 => YieldAsync(args.Context, execution),
            _ => new(!execution.IsUnshared),
        };
    }

    public static ValueTask<Lease> CloneAsync(ResultClonerArguments<Lease> args)
    {
        var original = args.Result;
        Check(original, args.Context);
        var draw = Random.Shared.Next(32);
        return draw switch
        {
            0 => throw new SoakException(original.Execution, Fault.Cloner),
            < 4 => CloneSlowlyAsync(original, args.Context, fails: draw == 1),
            _ => new(Copy(original)),
        };
    }

    private static async ValueTask<bool> YieldAsync(ResilienceContext context, Execution execution)
    {
        // Callers who leave now are neither in the flight any more nor on their way.
        var world = execution.Call.World;
        for (var i = 0; i < 4; i++)
        {
            await Task.Yield();
            world.Board.Strike(world, execution.Id + (7 * i));
        }

        if (ExecutionOf(context) != execution)
        {
            execution.Call.World.Violations.Add("S3 the predicate's context was reused under it", execution.ToString());
        }

        return !execution.IsUnshared;
    }

    private static async ValueTask<Lease> CloneSlowlyAsync(Lease original, ResilienceContext context, bool fails)
    {
        await Task.Yield();
        Check(original, context);
        return fails ? throw new SoakException(original.Execution, Fault.Cloner) : Copy(original);
    }

    private static void Check(Lease original, ResilienceContext context)
    {
        if (original.IsDisposed || original.IsCopy || ExecutionOf(context) != original.Execution)
        {
            original.Execution.Call.World.Violations.Add("S10 asked to copy a disposed result, or another's", original.Execution.ToString());
        }
    }

    private static Lease Copy(Lease original) =>
        (original.Execution.Id & 2) == 0 ? new Lease(original.Execution, isCopy: true) : new AsyncLease(original.Execution, isCopy: true);

    private static Execution ExecutionOf(ResilienceContext context) => context.Properties.GetValue(Call.Written, null)!;
}
