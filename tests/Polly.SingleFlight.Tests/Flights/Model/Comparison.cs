using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>Compares the engine with the model. Only what the thread pool does is waited for.</summary>
internal sealed class Comparison(FlightModel model, Subject subject, Patience patience)
{
    /// <summary>The engine's flights by the number of the model's, with what their cancellation opens.</summary>
    private readonly List<(Flight Flight, Gate Canceled)> _flights = [];

    public static void Same<T>(string what, T expected, T actual, int? number = null)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            Assert.Fail($"{what} {number}: expected {Show(expected)}, but found {Show(actual)}");
        }
    }

    public void Check()
    {
        for (var i = _flights.Count; i < model.Flights.Count; i++)
        {
            Find(model.Flights[i]);
        }

        model.Flights.ForEach(CheckFlight);
        model.Callers.ForEach(CheckCaller);
        CheckTable();
        SameInOrder("who reported which abandoned flight", model.Abandoned, subject.Listener.Abandoned.ConvertAll(report =>
            (Number(report.Flight), subject.Callers.FindIndex(caller => caller.Token == report.Leaver.CancellationToken))));
    }

    /// <summary>Checks what must hold when nothing is left to do.</summary>
    public void CheckEnd()
    {
        Same("the flights left in the table", 0, subject.Table.Count);
        foreach (var caller in subject.Callers)
        {
            Same("whether something was given to caller", true, caller.Received is not null, caller.Number);
            Same("W2: the registrations left on the token of caller", 0, caller.Source is { } source ? Registrations.Count(source) : 0, caller.Number);
        }

        foreach (var (flight, _) in _flights)
        {
            Same("whether everybody was served by flight", true, flight.HasEnded, Number(flight));
        }
    }

    private static void SameInOrder<T>(string what, List<T> expected, List<T> actual, int? number = null)
    {
        if (!expected.SequenceEqual(actual))
        {
            Same(what, string.Join(", ", expected), string.Join(", ", actual), number);
        }
    }

    private static string Show<T>(T value) => value?.ToString() ?? "nothing";

    /// <summary>Finds the flight that the leader of a new flight of the model leads.</summary>
    private void Find(ModelFlight expected)
    {
        var flight = subject.Callers[expected.Leader.Number].Flight;
        Same("which flight there was before flight", -1, Number(flight), expected.Number);
        var gate = new Gate();
        _flights.Add((flight, gate));
        flight.Token.UnsafeRegister(static gate => ((Gate)gate!).Open(), gate);
    }

    private int Number(Flight? flight) => _flights.FindIndex(known => known.Flight == flight);

    private void CheckFlight(ModelFlight expected)
    {
        var (flight, canceled) = _flights[expected.Number];
        var number = expected.Number;
        Same("I1: whether newcomers can join flight", expected.IsInTable, flight.IsJoinable, number);
        Same("whether it is closed, flight", expected.IsClosed, flight.IsClosed, number);
        Same("whether it has ended, flight", expected.Stage == ModelStage.Ended, flight.HasEnded, number);
        Same("I2: how many joined flight", expected.Joined, flight.Joined, number);
        Same("whether its leader left, flight", expected.LeaderLeft, flight.LeaderLeft, number);
        if (!expected.IsClosed)
        {
            Same("I2: how many wait for flight", expected.Waiters, flight.Waiters, number);
            Same("the key of flight", Subject.Key(expected.Key), flight.Key, number);
        }

        if (expected.IsCanceled)
        {
            patience.WaitFor(canceled.Opened);
        }

        Same("I4: whether its token is cancelled, flight", expected.IsCanceled, flight.IsCancellationRequested, number);
        SameInOrder("who was released, in order, from flight", expected.Released, subject.ReleasedFrom(flight), number);
    }

    private void CheckCaller(ModelCaller expected)
    {
        var number = expected.Number;
        var caller = subject.Callers[number];
        var received = caller.Received;
        Same("I4: what was given to caller", expected.Outcome, received, number);
        Same("the flight of caller", expected.Flight.Number, Number(caller.Flight), number);
        Same("W1: whether its wait is claimed, caller", expected.IsClaimed, caller.IsClaimed, number);
        Same("the elections of caller", expected.Elections, caller.Elections, number);
        Same("whether it is to run alone, caller", expected.IsAlone, caller.IsAlone, number);
        if (caller.RunRequest is { } runRequest)
        {
            var isRunRequested = expected is { IsRunRequested: true, IsReady: true };
            if (isRunRequested)
            {
                patience.WaitFor(runRequest);
            }

            Same("W3: whether it was sent to run, caller", isRunRequested, runRequest.IsCompleted, number);
        }

        if (received is not null && model.Flights.Find(flight => flight.Leader.OfCallback == received) is { } source)
        {
            Same("I3: whether its outcome is out, yet it is closed, flight", true, _flights[source.Number].Flight.IsClosed, source.Number);
        }
    }

    private void CheckTable()
    {
        var joinable = model.Flights.FindAll(static flight => flight.IsInTable);
        Same("I1: the number of joinable flights", joinable.Count, subject.Table.Count);
        var seen = subject.Table.GetFlights().ToList();
        foreach (var flight in joinable)
        {
            var type = flight.IsText ? typeof(string) : typeof(int);
            var at = seen.FindIndex(one => one.Key.Equals(Subject.Key(flight.Key)) && one.ResultType == type && one.CallerCount == flight.Waiters);
            Same("I1: whether a snapshot shows flight", true, at >= 0, flight.Number);
            seen.RemoveAt(at);
        }

        Same("I1: the snapshots of no known flight", 0, seen.Count);
        foreach (var flight in model.Flights)
        {
            var found = subject.Find(flight.Key, flight.IsText, flight.Rules.Realm);
            var expected = model.Find(flight.Key, flight.IsText, flight.Rules.Realm);
            Same("I1: what is found for the key of flight", expected?.Number ?? -1, Number(found), flight.Number);
        }
    }
}
