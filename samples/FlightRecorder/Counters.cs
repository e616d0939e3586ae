using System.Diagnostics.Metrics;

namespace FlightRecorder;

/// <summary>Listens to the library's meters.</summary>
internal sealed class Counters : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Action<Action<SectionCounts>> _record;

    public Counters(Action<Action<SectionCounts>> record)
    {
        _record = record;
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name is Names.Executions or Names.CacheHits or Names.CacheRefreshes)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>(OnMeasured);
        _listener.Start();
    }

    public void Dispose() => _listener.Dispose();

    private void OnMeasured(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        var role = "";
        foreach (var (name, text) in tags)
        {
            if (name == Names.Role)
            {
                role = text as string;
            }
        }

        _record(counts =>
        {
            switch (instrument.Name, role)
            {
                case (Names.CacheHits, _):
                    counts.CacheHits += value;
                    break;
                case (Names.CacheRefreshes, _):
                    counts.Refreshes += value;
                    break;
                case (_, "leader"):
                    counts.Leaders += value;
                    break;
                case (_, "follower"):
                    counts.Followers += value;
                    break;
                default:
                    counts.Bypassed += value;
                    break;
            }
        });
    }
}
