using Polly.Telemetry;

namespace Polly.SingleFlight.Tests.Infrastructure;

/// <summary>Records what a strategy reports to Polly.</summary>
public sealed class RecordingListener : TelemetryListener
{
    private readonly List<Report> _reports = [];

    public bool Throws { get; set; }

    /// <summary>Told the name of each event after it was recorded.</summary>
    public Action<string>? Written { get; set; }

    public Report[] Reports
    {
        get
        {
            lock (_reports)
            {
                return [.. _reports];
            }
        }
    }

    public int Count(string name) => Reports.Count(report => report.Name == name);

    public override void Write<TResult, TArgs>(in TelemetryEventArguments<TResult, TArgs> args)
    {
        if (args.Event.EventName == "PipelineExecuting" || args.Event.EventName == "PipelineExecuted")
        {
            return;
        }

        lock (_reports)
        {
            _reports.Add(new Report(args.Event.EventName, args.Event.Severity, args.Context, args.Outcome is not null, args.Arguments?.ToString()));
        }

        Written?.Invoke(args.Event.EventName);
        if (Throws)
        {
            throw new InvalidOperationException("from a listener");
        }
    }

    public sealed record Report(string Name, ResilienceEventSeverity Severity, ResilienceContext Context, bool HasOutcome, string? Arguments);
}
