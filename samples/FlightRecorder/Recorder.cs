using System.Diagnostics;

namespace FlightRecorder;

/// <summary>
/// Records the flights of all pipelines of this process, from the public telemetry of Polly.SingleFlight: its activities and its meters.
/// </summary>
/// <remarks>Everything it keeps is bounded by <see cref="RecorderOptions"/>. While there is one, each caller costs an activity.</remarks>
public sealed class Recorder : IDisposable
{
    private readonly object _gate = new();
    private readonly RecorderOptions _options;
    private readonly DateTimeOffset _start;
    private readonly FlightLog _flights;
    private readonly SectionLog _sections;
    private readonly CallerLog _callers;
    private readonly ActivityListener _activities;
    private readonly Counters _counters;

    /// <summary>Begins to record.</summary>
    /// <param name="options">The options; null means the defaults.</param>
    public Recorder(RecorderOptions? options = null)
    {
        _options = options ?? new();
        _start = _options.TimeProvider.GetUtcNow();
        _flights = new(_options);
        _sections = new(_options, _start);
        _callers = new(_options);
        _activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name.StartsWith(Names.Source, StringComparison.Ordinal) || _options.CallerSources.Contains(source.Name),
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStarted = OnStarted,
            ActivityStopped = OnStopped,
        };
        ActivitySource.AddActivityListener(_activities);
        _counters = new(count =>
        {
            lock (_gate)
            {
                count(_sections.Current);
            }
        });
    }

    /// <summary>Begins a section, in which all is counted from now on until the next.</summary>
    /// <param name="name">Name for the report.</param>
    public void BeginSection(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        lock (_gate)
        {
            _sections.Begin(name, _options.TimeProvider.GetUtcNow());
        }
    }

    /// <summary>Gets what was recorded until now.</summary>
    public Recording GetRecording()
    {
        lock (_gate)
        {
            return new(
                _start,
                _options.TimeProvider.GetUtcNow(),
                _flights.ToRecords(),
                _sections.ToRecords(),
                new(_flights.Dropped, _flights.DroppedFollowers, _sections.Dropped));
        }
    }

    /// <summary>Ends the recording.</summary>
    public void Dispose()
    {
        _activities.Dispose();
        _counters.Dispose();
    }

    private void OnStarted(Activity activity)
    {
        if (_options.CallerSources.Contains(activity.Source.Name))
        {
            lock (_gate)
            {
                _callers.Add(activity);
            }
        }
        else if (activity.OperationName == Names.Flight)
        {
            // The application's function runs outside the lock.
            var refresh = activity.Parent is { OperationName: Names.Refresh } parent ? parent : null;
            var caller = refresh is null ? activity.Parent : FindCallerOf(refresh);
            var lane = _callers.LaneOf(caller) ?? Names.PipelineOf(activity);
            lock (_gate)
            {
                _flights.Begin(activity, lane, refresh is null ? caller?.DisplayName : "refresh", isRefresh: refresh is not null);
                _sections.Current.Flights++;
            }
        }
    }

    private void OnStopped(Activity activity)
    {
        if (activity.OperationName is Names.Flight or Names.Wait)
        {
            lock (_gate)
            {
                if (activity.OperationName == Names.Flight)
                {
                    _flights.End(activity);
                }
                else
                {
                    _flights.AddFollower(activity);
                }
            }
        }
    }

    /// <summary>A refresh in the background is no child of the caller that set it off, but has a link to it.</summary>
    private Activity? FindCallerOf(Activity refresh)
    {
        lock (_gate)
        {
            return refresh.Links.Select(link => _callers.Find(link.Context.SpanId)).FirstOrDefault(static caller => caller is not null);
        }
    }
}
