using System.Collections.Concurrent;

namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>Keeps what is logged, of all levels down to <see cref="Minimum"/>.</summary>
internal sealed class RecordingLogs : ILoggerProvider
{
    public const string Category = "Polly.SingleFlight";

    private readonly ConcurrentQueue<Record> _records = new();

    public LogLevel Minimum { get; set; } = LogLevel.Trace;

    /// <summary>What was logged in the library's own category.</summary>
    public Record[] Records => [.. _records.Where(static record => record.Category == Category)];

    public Record[] Of(LogLevel level) => [.. Records.Where(record => record.Level == level)];

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    /// <param name="Category">The category.</param>
    /// <param name="Level">The level.</param>
    /// <param name="Text">The message, every value of its state, and the exception: all that a log store would hold.</param>
    public sealed record Record(string Category, LogLevel Level, string Text);

    private sealed class Logger(RecordingLogs logs, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= logs.Minimum;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var values = state is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join(' ', pairs) : "";
            logs._records.Enqueue(new Record(category, logLevel, $"{formatter(state, exception)} {values} {exception}"));
        }
    }
}
