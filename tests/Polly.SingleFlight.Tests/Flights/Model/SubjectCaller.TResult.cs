using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>A caller of the engine. The result of its callback is its number.</summary>
internal sealed class SubjectCaller<TResult> : SubjectCaller
{
    private readonly Subject _subject;
    private readonly FlightRules _rules;
    private readonly ResilienceContext _context;
    private readonly SubjectWaiter<TResult>? _wait;
    private SubjectRun<TResult>? _run;

    /// <summary>Joins the flight of the key or starts one, as an admission does.</summary>
    public SubjectCaller(Subject subject, int number, FlightRules rules, Admit admission)
        : base(number, admission.HasToken)
    {
        _subject = subject;
        _rules = rules;
        _context = ResilienceContextPool.Shared.Get(Token);
        var key = Subject.Key(admission.Key);
        var hash = subject.Table.Hash(key);
        var stripe = subject.Table.StripeOf(hash);
        using (stripe.Gate.Enter())
        {
            var flight = stripe.Find_NeedsLock<TResult>(hash, key, rules.Realm);
            if (flight is not null && !admission.FindsTooOld)
            {
                _wait = CreateWait(flight);
                flight.Join_NeedsLock(_wait);
            }
            else
            {
                if (flight is not null)
                {
                    stripe.Remove_NeedsLock(flight);
                }

                flight = new Flight<TResult>(rules, stripe, hash, key, now: 0);
                stripe.Insert_NeedsLock(flight);
                _run = CreateRun(flight);
            }
        }

        _run?.Begin();
        if (_wait is not null && admission.SettlesIn)
        {
            SettleIn();
        }
    }

    public override Flight Flight => _run?.Flight ?? _wait!.Flight;

    public override string? Received =>
        InWords(_wait is { Task.IsCompleted: true } ? _wait.Task.Result : _run?.Received);

    public override bool IsClaimed => _wait?.IsClaimed == true;

    public override int Elections => _wait?.Elections ?? 0;

    public override bool IsAlone => _wait?.AloneBecause == BypassReason.Election;

    public override Task? RunRequest => _wait?.RunRequest;

    public override void SettleIn()
    {
        _wait!.Listen();
        _wait.Ready();
    }

    public override void Lead()
    {
        _run = CreateRun(_wait!.Flight);
        _run.BeginSuccessor();
    }

    public override bool Yield() => _run!.Yield();

    public override LandingAnswer Land(Ending ending, CancellationToken other, bool isPrepared) => _run!.Land(
        ending == Ending.Result ? Outcome.FromResult(Result()) : Outcome.FromException<TResult>(ExceptionOf(ending, other)), isPrepared);

    public override void Serve(bool isShared) => _run!.Serve(isShared);

    public override bool RunAlone()
    {
        if (!_wait!.TryClaim())
        {
            return false;
        }

        _wait.SetResult(Outcome.FromResult(Result()));
        return true;
    }

    public override void Resign() => _run!.GiveUp(Outcome.FromException<TResult>(ExceptionOf(Ending.Failure, default)));

    private TResult Result() => (TResult)Convert.ChangeType(Number, typeof(TResult), null);

    private string? InWords(Outcome<TResult>? outcome) =>
        outcome is not { } received ? null
        : received.Exception is { } exception ? InWords(exception)
        : ModelCaller.OutcomeOf((int)Convert.ChangeType(received.Result!, typeof(int), null));

    private SubjectRun<TResult> CreateRun(Flight<TResult> flight) =>
        new(flight, _subject.Listener, _context, () => NoteRelease(flight));

    private SubjectWaiter<TResult> CreateWait(Flight<TResult> flight) => new(flight, _context, _rules, NoteRelease);

    private void NoteRelease(Flight released) => _subject.ReleasedFrom(released).Add(Number);
}
