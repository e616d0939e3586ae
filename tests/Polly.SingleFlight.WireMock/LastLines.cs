namespace Polly.SingleFlight.WireMock;

/// <summary>The end of an output that may be long, for the message of a failure.</summary>
internal sealed class LastLines(int limit)
{
    private readonly Queue<string> _lines = new();

    public void Add(string line)
    {
        lock (_lines)
        {
            if (_lines.Count == limit)
            {
                _lines.Dequeue();
            }

            _lines.Enqueue(line);
        }
    }

    public override string ToString()
    {
        lock (_lines)
        {
            return string.Join(Environment.NewLine, _lines);
        }
    }
}
