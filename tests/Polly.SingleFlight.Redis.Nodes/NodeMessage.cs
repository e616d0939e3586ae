namespace Polly.SingleFlight.Redis.Nodes;

/// <summary>A line that a node writes.</summary>
/// <param name="Kind">What it says.</param>
/// <param name="At">When that was, as a timestamp of the system's monotonic clock, which all processes of a machine share.</param>
public sealed record NodeMessage(MessageKind Kind, long At)
{
    /// <summary>Gets the number of the call.</summary>
    public int Call { get; init; }

    /// <summary>Gets the key of the call.</summary>
    public string? Key { get; init; }

    /// <summary>Gets the result: the key, the name of the node and the number of its execution.</summary>
    public string? Value { get; init; }

    /// <summary>Gets the failure.</summary>
    public string? Error { get; init; }
}

/// <summary>What a line says.</summary>
public enum MessageKind
{
    /// <summary>The node takes commands.</summary>
    Ready,

    /// <summary>A call begins.</summary>
    Asked,

    /// <summary>The callback of a call begins.</summary>
    Began,

    /// <summary>The callback of a call ends, with a result or, if it was cancelled or was to fail, without one.</summary>
    Left,

    /// <summary>A call has ended.</summary>
    Ended,

    /// <summary>A call follows another node's.</summary>
    Joined,

    /// <summary>A call follows another of the same node.</summary>
    JoinedHere,

    /// <summary>A call runs on this node alone.</summary>
    Bypassed,

    /// <summary>A command was done.</summary>
    Done,
}
