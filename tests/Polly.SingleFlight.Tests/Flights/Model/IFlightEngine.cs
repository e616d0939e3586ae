namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>
/// What can be done with flights, one operation at a time. The model and the engine itself both do it, and their answers must be equal.
/// Callers are numbered in the order they were admitted.
/// </summary>
internal interface IFlightEngine
{
    void Admit(Admit admission);

    /// <summary>A follower finishes setting up its wait: it listens to its token and is ready.</summary>
    void SettleIn(int caller);

    void FireToken(int caller);

    /// <summary>A summoned caller begins to lead the flight it was elected for.</summary>
    void Lead(int caller);

    /// <summary>The callback of a leader yields. Answers whether the leader got a wait.</summary>
    bool Yield(int caller);

    /// <summary>The callback of a leader ends.</summary>
    LandingAnswer Land(int caller, Ending ending, int other, bool isPrepared);

    /// <summary>The followers and then the leader of a landed flight get what is theirs, and the flight ends.</summary>
    void Serve(int caller, bool isShared);

    /// <summary>A summoned caller runs alone. Answers whether it was still there.</summary>
    bool RunAlone(int caller);

    /// <summary>A leader gives its flight up before its callback has begun.</summary>
    void Resign(int caller);

    bool Forget(int key);

    void ForgetAll();

    bool Cancel(int key);
}

/// <summary>What is known when a callback has ended and nobody has been served.</summary>
internal sealed record LandingAnswer(bool MayTurnOutForeign, bool IsTooLate, bool IsDeferred, bool HasFollowers, bool HasElection);
