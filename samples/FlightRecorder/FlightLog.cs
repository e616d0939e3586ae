using System.Diagnostics;

namespace FlightRecorder;

/// <summary>The latest flights and their followers. Guarded by the lock of the recorder.</summary>
internal sealed class FlightLog(RecorderOptions options)
{
    private readonly Queue<Entry> _order = [];
    private readonly Dictionary<ActivitySpanId, Entry> _flights = [];
    private int _followers;

    public long Dropped { get; private set; }

    public long DroppedFollowers { get; private set; }

    public void Begin(Activity flight, string lane, string? leader, bool isRefresh)
    {
        var entry = new Entry(flight.SpanId, lane, leader, isRefresh, flight.StartTimeUtc);
        _order.Enqueue(entry);
        _flights[flight.SpanId] = entry;
        if (_order.Count > options.MaxFlights)
        {
            DropOldest();
        }
    }

    public void End(Activity flight)
    {
        if (_flights.TryGetValue(flight.SpanId, out var entry))
        {
            entry.End = flight.StartTimeUtc + flight.Duration;
            entry.Outcome = OutcomeOf(flight);
            entry.ErrorType = flight.GetTagItem(Names.ErrorType) as string;
            entry.Callers = flight.GetTagItem(Names.Callers) as int?;
        }
    }

    /// <summary>Adds a wait that is over to the flight that it has a link to.</summary>
    public void AddFollower(Activity wait)
    {
        var entry = wait.Links.Select(link => _flights.GetValueOrDefault(link.Context.SpanId)).FirstOrDefault(static flight => flight is not null);
        if (entry is null)
        {
            DroppedFollowers++;
            return;
        }

        var joined = new DateTimeOffset(wait.StartTimeUtc);
        entry.Followers.Add(new(joined, joined + wait.Duration, OutcomeOf(wait), wait.GetTagItem(Names.ErrorType) as string));
        for (_followers++; _followers > options.MaxFollowers;)
        {
            DropOldest();
        }
    }

    public IReadOnlyList<RecordedFlight> ToRecords() => [.. _order.Select(static entry => entry.ToRecord())];

    private static string? OutcomeOf(Activity activity) => activity.GetTagItem(Names.Outcome) as string;

    private void DropOldest()
    {
        var oldest = _order.Dequeue();
        _flights.Remove(oldest.Id);
        _followers -= oldest.Followers.Count;
        Dropped++;
        DroppedFollowers += oldest.Followers.Count;
    }

    private sealed class Entry(ActivitySpanId id, string lane, string? leader, bool isRefresh, DateTime start)
    {
        public ActivitySpanId Id => id;

        public DateTime? End { get; set; }

        public string? Outcome { get; set; }

        public string? ErrorType { get; set; }

        public int? Callers { get; set; }

        public List<RecordedFollower> Followers { get; } = [];

        public RecordedFlight ToRecord() =>
            new(lane, leader, isRefresh, start, End, Outcome, ErrorType, Callers ?? Followers.Count + 1, [.. Followers]);
    }
}
