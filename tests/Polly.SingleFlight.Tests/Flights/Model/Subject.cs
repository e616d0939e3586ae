using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>The engine's own flights, tables and waits, driven on one thread.</summary>
internal sealed class Subject : IFlightEngine, IDisposable
{
    private readonly FlightRules[] _rules;
    private readonly Dictionary<Flight, List<int>> _released = [];

    public Subject(ModelRules[] rules, bool keysCollide)
    {
        Table = new FlightTable(keysCollide ? new CollidingComparer() : null);
        var clock = new SignallingClock();
        _rules = Array.ConvertAll(rules, own => new FlightRules
        {
            Clock = new(clock),
            LeaderDeparture = own.Departure,
            CancelWhenAbandoned = own.CancelWhenAbandoned,
            MaxElections = own.MaxElections,
            DetectReentrancy = false,
            MaxJoinAge = long.MaxValue,
            Realm = own.Realm,
            Listener = Listener,
        });
    }

    public FlightTable Table { get; }

    public SubjectListener Listener { get; } = new();

    public List<SubjectCaller> Callers { get; } = [];

    /// <summary>Keys are equal, and never the same object.</summary>
    public static object Key(int number) => ("key", number);

    /// <summary>Who was let go by somebody else while it waited for this flight, in order.</summary>
    public List<int> ReleasedFrom(Flight flight)
    {
        if (!_released.TryGetValue(flight, out var released))
        {
            released = _released[flight] = [];
        }

        return released;
    }

    public Flight? Find(int key, bool isText, int? realm) => isText ? Find<string>(Key(key), realm) : Find<int>(Key(key), realm);

    public void Admit(Admit admission)
    {
        var rules = _rules[admission.Rules % _rules.Length];
        Callers.Add(admission.IsText
            ? new SubjectCaller<string>(this, Callers.Count, rules, admission)
            : new SubjectCaller<int>(this, Callers.Count, rules, admission));
    }

    public void SettleIn(int caller) => Callers[caller].SettleIn();

    public void FireToken(int caller) => Callers[caller].Source!.Cancel();

    public void Lead(int caller) => Callers[caller].Lead();

    public bool Yield(int caller) => Callers[caller].Yield();

    public LandingAnswer Land(int caller, Ending ending, int other, bool isPrepared)
    {
        var fired = Callers.FindAll(static caller => caller.Token.IsCancellationRequested);
        var among = fired.Count > 0 ? fired : Callers;
        return Callers[caller].Land(ending, among[other % among.Count].Token, isPrepared);
    }

    public void Serve(int caller, bool isShared) => Callers[caller].Serve(isShared);

    public bool RunAlone(int caller) => Callers[caller].RunAlone();

    public void Resign(int caller) => Callers[caller].Resign();

    public bool Forget(int key) => Table.Forget(Key(key));

    public void ForgetAll() => Table.ForgetAll();

    public bool Cancel(int key) => Table.Cancel(Key(key));

    public void Dispose() => Callers.ForEach(static caller => caller.Dispose());

    private Flight<TResult>? Find<TResult>(object key, object? realm)
    {
        var hash = Table.Hash(key);
        var stripe = Table.StripeOf(hash);
        using (stripe.Gate.Enter())
        {
            return stripe.Find_NeedsLock<TResult>(hash, key, realm);
        }
    }

    /// <summary>Puts all keys into one bucket.</summary>
    private sealed class CollidingComparer : IEqualityComparer<object>
    {
        public new bool Equals(object? x, object? y) => object.Equals(x, y);

        public int GetHashCode(object obj) => 0;
    }
}
