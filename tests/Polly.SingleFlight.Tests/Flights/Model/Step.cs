using System.Text;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>One operation. That of a caller is taken by the caller that <see cref="Pick"/> chooses among those who can, if there are any.</summary>
internal abstract record Step(int? Pick)
{
    public virtual bool IsPossibleFor(ModelCaller caller) => false;

    /// <summary>Takes the step and returns the engine's answer, if it gives one.</summary>
    public abstract object? Take(IFlightEngine engine, int caller);

    /// <summary>Leaves out the pick, since a reader is told which caller it chose.</summary>
    protected virtual bool PrintMembers(StringBuilder builder) => false;

    protected static object? Unanswered(Action step)
    {
        step();
        return null;
    }
}

internal sealed record Admit(int Key, bool IsText, int Rules, bool HasToken, bool SettlesIn, bool FindsTooOld) : Step((int?)null)
{
    public override object? Take(IFlightEngine engine, int caller) => Unanswered(() => engine.Admit(this));
}

internal sealed record Forget(int Key) : Step((int?)null)
{
    public override object? Take(IFlightEngine engine, int caller) => engine.Forget(Key);
}

internal sealed record ForgetAll() : Step((int?)null)
{
    public override object? Take(IFlightEngine engine, int caller) => Unanswered(engine.ForgetAll);
}

internal sealed record CancelKey(int Key) : Step((int?)null)
{
    public override object? Take(IFlightEngine engine, int caller) => engine.Cancel(Key);
}

internal sealed record SettleIn(int? Pick) : Step(Pick)
{
    public override bool IsPossibleFor(ModelCaller caller) => caller is { IsFollower: true, IsReady: false };

    public override object? Take(IFlightEngine engine, int caller) => Unanswered(() => engine.SettleIn(caller));
}

internal sealed record FireToken(int? Pick) : Step(Pick)
{
    public override bool IsPossibleFor(ModelCaller caller) => caller is { HasToken: true, HasFired: false };

    public override object? Take(IFlightEngine engine, int caller) => Unanswered(() => engine.FireToken(caller));
}

internal sealed record Lead(int? Pick) : Step(Pick)
{
    public override bool IsPossibleFor(ModelCaller caller) =>
        caller is { IsRunRequested: true, IsReady: true, IsAlone: false, Leads: null };

    public override object? Take(IFlightEngine engine, int caller) => Unanswered(() => engine.Lead(caller));
}

internal sealed record Yield(int? Pick) : Step(Pick)
{
    public override bool IsPossibleFor(ModelCaller caller) => caller.Leads?.Stage == ModelStage.Running;

    public override object? Take(IFlightEngine engine, int caller) => engine.Yield(caller);
}

internal sealed record Land(int? Pick, Ending Ending, int Other, bool IsPrepared) : Step(Pick)
{
    public override bool IsPossibleFor(ModelCaller caller) => caller.Leads?.Stage is ModelStage.Running or ModelStage.Yielded;

    public override object? Take(IFlightEngine engine, int caller) => engine.Land(caller, Ending, Other, IsPrepared);
}

internal sealed record Serve(int? Pick, bool IsShared) : Step(Pick)
{
    public override bool IsPossibleFor(ModelCaller caller) => caller.Leads?.Stage == ModelStage.Landed;

    public override object? Take(IFlightEngine engine, int caller) => Unanswered(() => engine.Serve(caller, IsShared));
}

internal sealed record RunAlone(int? Pick) : Step(Pick)
{
    public override bool IsPossibleFor(ModelCaller caller) => caller is { IsAlone: true, IsReady: true, RanAlone: false };

    public override object? Take(IFlightEngine engine, int caller) => engine.RunAlone(caller);
}

internal sealed record Resign(int? Pick) : Step(Pick)
{
    public override bool IsPossibleFor(ModelCaller caller) => caller.Leads?.Stage == ModelStage.Running;

    public override object? Take(IFlightEngine engine, int caller) => Unanswered(() => engine.Resign(caller));
}
