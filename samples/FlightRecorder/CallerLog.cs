using System.Diagnostics;

namespace FlightRecorder;

/// <summary>The latest activities of callers, for refreshes that have links to them. Guarded by the lock of the recorder.</summary>
internal sealed class CallerLog(RecorderOptions options)
{
    /// <summary>A refresh begins soon after its caller, so few are enough.</summary>
    private const int Max = 2000;

    private readonly Queue<ActivitySpanId> _order = [];
    private readonly Dictionary<ActivitySpanId, Activity> _callers = [];

    public void Add(Activity caller)
    {
        if (_callers.TryAdd(caller.SpanId, caller))
        {
            _order.Enqueue(caller.SpanId);
        }

        if (_order.Count > Max)
        {
            _callers.Remove(_order.Dequeue());
        }
    }

    public Activity? Find(ActivitySpanId id) => _callers.GetValueOrDefault(id);

    /// <summary>The lane of the nearest activity that has one. Needs no lock.</summary>
    public string? LaneOf(Activity? caller)
    {
        for (; caller is not null && options.Lane is not null; caller = caller.Parent)
        {
            try
            {
                if (options.Lane(caller) is { } lane)
                {
                    return lane;
                }
            }
            catch (Exception)
            {
                // A function of the application that fails costs the flight its lane and nothing else.
                return null;
            }
        }

        return null;
    }
}
