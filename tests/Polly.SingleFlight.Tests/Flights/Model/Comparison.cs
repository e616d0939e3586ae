using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>Compares the engine with the model. Only what the thread pool does is waited for.</summary>
internal sealed class Comparison(FlightModel model, Subject subject)
{
    /// <summary>The engine's flights by the number of the model's, with what their cancellation opens.</summary>
    private readonly List<(Flight Flight, Gate Canceled)> _flights = [];

    public void Check()
    {
        model.Flights.Skip(_flights.Count).ToList().ForEach(Find);
        model.Flights.ForEach(CheckFlight);
        model.Callers.ForEach(CheckCaller);
        CheckTable();
        Same(
            "who reported an abandoned flight",
            string.Join(", ", model.Abandoned),
            string.Join(", ", subject.Listener.Abandoned.Select(report =>
                (Number(report.Flight), subject.Callers.FindIndex(caller => caller.Token == report.Leaver.CancellationToken)))));
    }

    /// <summary>Checks what must hold when nothing is left to do.</summary>
    public void CheckEnd()
    {
        Same("the flights left in the table", 0, subject.Table.Count);
        foreach (var caller in model.Callers)
        {
            Same($"whether caller {caller.Number} got something", true, caller.Outcome is not null);
            if (subject.Callers[caller.Number].Source is { } source)
            {
                Same($"W2: the registrations left on the token of caller {caller.Number}", 0, Registrations.Count(source));
            }
        }

        foreach (var flight in model.Flights)
        {
            Same($"whether flight {flight.Number} ended", true, _flights[flight.Number].Flight.HasEnded);
        }
    }

    public static void Same<T>(string what, T expected, T actual)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            Assert.Fail($"{what}: expected {Show(expected)}, but found {Show(actual)}");
        }
    }

    private static string Show<T>(T value) => value?.ToString() ?? "nothing";

    /// <summary>Finds the flight that the leader of a new flight of the model leads.</summary>
    private void Find(ModelFlight expected)
    {
        var flight = subject.Callers[expected.Leader.Number].Flight;
        Same($"whether flight {expected.Number} is new", true, _flights.TrueForAll(known => known.Flight != flight));
        var gate = new Gate();
        _flights.Add((flight, gate));
        flight.Token.UnsafeRegister(static gate => ((Gate)gate!).Open(), gate);
    }

    private int Number(Flight flight) => _flights.FindIndex(known => known.Flight == flight);

    private void CheckFlight(ModelFlight expected)
    {
        var (flight, canceled) = _flights[expected.Number];
        var name = $"flight {expected.Number}";
        Same($"I1: whether {name} is joinable", expected.IsInTable, flight.IsJoinable);
        Same($"whether {name} is closed", expected.IsClosed, flight.IsClosed);
        Same($"whether {name} has ended", expected.Stage == ModelStage.Ended, flight.HasEnded);
        Same($"I2: who joined {name}", expected.Joined, flight.Joined);
        Same($"whether the leader of {name} left", expected.LeaderLeft, flight.LeaderLeft);
        if (!expected.IsClosed)
        {
            Same($"I2: who waits for {name}", expected.Waiters, flight.Waiters);
            Same($"the key of {name}", Subject.Key(expected.Key), flight.Key);
        }

        if (expected.IsCanceled && !canceled.Opened.IsCompleted)
        {
            canceled.Opened.Soon().GetAwaiter().GetResult();
        }

        Same($"I4: whether {name} is cancelled", expected.IsCanceled, flight.IsCancellationRequested);
        Same(
            $"who was released from {name}, in order",
            string.Join(", ", expected.Released),
            string.Join(", ", subject.Released.Where(release => release.Flight == flight).Select(static release => release.Caller)));
    }

    private void CheckCaller(ModelCaller expected)
    {
        var caller = subject.Callers[expected.Number];
        var name = $"caller {expected.Number}";
        Same($"I4: what {name} got", expected.Outcome, caller.Received);
        Same($"the flight of {name}", expected.Flight.Number, Number(caller.Flight));
        Same($"W1: whether {name} is claimed", expected.IsClaimed, caller.IsClaimed);
        Same($"the elections of {name}", expected.Elections, caller.Elections);
        Same($"whether {name} is to run alone", expected.IsAlone, caller.IsAlone);
        if (caller.Summons is { } summons)
        {
            var isSummoned = expected is { IsSummoned: true, IsReady: true };
            if (isSummoned && !summons.IsCompleted)
            {
                summons.Soon().GetAwaiter().GetResult();
            }

            Same($"W3: whether {name} was sent to run", isSummoned, summons.IsCompleted);
        }

        foreach (var other in model.Flights)
        {
            if (caller.Received == ModelCaller.OutcomeOf(other.Leader.Number))
            {
                Same($"I3: whether flight {other.Number} is closed, whose outcome {name} got", true, _flights[other.Number].Flight.IsClosed);
            }
        }
    }

    private void CheckTable()
    {
        var joinable = model.Flights.FindAll(static flight => flight.IsInTable);
        Same("I1: the number of joinable flights", joinable.Count, subject.Table.Count);
        Same(
            "I1: the joinable flights",
            InWords(joinable.Select(static flight => (Subject.Key(flight.Key), flight.IsText ? typeof(string) : typeof(int), flight.Waiters))),
            InWords(subject.Table.GetFlights().Select(static flight => (flight.Key, flight.ResultType, flight.CallerCount))));
        foreach (var flight in model.Flights)
        {
            Flight? found = flight.IsText ? FindInTable<string>(flight) : FindInTable<int>(flight);
            var expected = model.Find(flight.Key, flight.IsText, flight.Rules.Realm);
            Same($"I1: the flight that is found for the key of flight {flight.Number}", expected?.Number ?? -1, found is null ? -1 : Number(found));
        }
    }

    private static string InWords(IEnumerable<(object Key, Type Type, int Waiters)> flights) =>
        string.Join(", ", flights.Select(static flight => flight.ToString()).Order(StringComparer.Ordinal));

    private Flight<TResult>? FindInTable<TResult>(ModelFlight flight)
    {
        var key = Subject.Key(flight.Key);
        var hash = subject.Table.Hash(key);
        var stripe = subject.Table.StripeOf(hash);
        lock (stripe.Gate)
        {
            return stripe.Find_NeedsLock<TResult>(hash, key, flight.Rules.Realm);
        }
    }
}
