using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Polly.SingleFlight.Redis.Nodes;

/// <summary>Writes lines, one at a time.</summary>
internal sealed class MessageWriter : IDisposable
{
    public static readonly JsonSerializerOptions Format = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, Converters = { new JsonStringEnumConverter() } };

    private readonly object _gate = new();
    private readonly StreamWriter _output = new(Console.OpenStandardOutput()) { AutoFlush = true };
    private bool _isDisposed;

    public static long Now => Stopwatch.GetTimestamp();

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _output.Dispose();
        }
    }

    public void Write(NodeMessage message)
    {
        var line = JsonSerializer.Serialize(message, Format);
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _output.WriteLine(line);
            }
        }
    }
}
