using System.Diagnostics;
using Polly.SingleFlight.Redis.Nodes;
using Polly.SingleFlight.Soak;

namespace Polly.SingleFlight.Redis.Soak;

/// <summary>
/// Hears what all nodes write, and judges it at the end, when it has everything: lines of different nodes come in no order, but their times are of one clock.
/// </summary>
/// <remarks>
/// <para>R1. Every call ends, unless its node was killed.</para>
/// <para>R2. A result is of the call's key, and was made by an execution that has ended with it.</para>
/// <para>R3. A caller receives a result only if it had asked before anybody, on any node, held it.</para>
/// <para>R4. A call fails only by its own leaving, or with the failure of an execution of its key on its own node.</para>
/// <para>R5. Of a key there are no more executions at a time than nodes, and on a node one, not counting those that were cancelled.</para>
/// </remarks>
internal sealed class Oracle(Violations violations)
{
    private readonly object _gate = new();
    private readonly Dictionary<(string Node, int Number), CallRecord> _calls = [];
    private readonly Dictionary<string, ExecutionRecord> _executions = [];
    private readonly Dictionary<string, long> _killed = [];
    private readonly Dictionary<string, int> _running = [];
    private readonly Dictionary<MessageKind, int> _counts = [];
    private readonly Dictionary<string, int> _reasons = [];

    /// <summary>How many calls of a node have not ended.</summary>
    public int Running(string node)
    {
        lock (_gate)
        {
            return _running.GetValueOrDefault(node);
        }
    }

    public void Hear(string node, NodeMessage message)
    {
        lock (_gate)
        {
            _counts[message.Kind] = _counts.GetValueOrDefault(message.Kind) + 1;
            switch (message.Kind)
            {
                case MessageKind.Asked:
                    _calls[(node, message.Call)] = new CallRecord(node, message.Key!, message.At);
                    _running[node] = _running.GetValueOrDefault(node) + 1;
                    break;

                case MessageKind.Began:
                    _executions[message.Value!] = new ExecutionRecord(node, message.Key!, message.At);
                    break;

                case MessageKind.Left:
                    (_executions[message.Value!].LeftAt, _executions[message.Value!].Error) = (message.At, message.Error);
                    break;

                case MessageKind.Ended:
                    var call = _calls[(node, message.Call)];
                    (call.EndedAt, call.Value, call.Error) = (message.At, message.Value, message.Error);
                    _running[node]--;
                    break;

                case MessageKind.Bypassed:
                    _reasons[message.Value!] = _reasons.GetValueOrDefault(message.Value!) + 1;
                    break;
            }
        }
    }

    /// <summary>Notes that a node is about to be killed.</summary>
    public void IsKilled(string node)
    {
        lock (_gate)
        {
            _killed[node] = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>What was counted, in words.</summary>
    public string Count()
    {
        lock (_gate)
        {
            var alone = string.Join(", ", _reasons.OrderBy(static reason => reason.Key, StringComparer.Ordinal).Select(static reason => $"{reason.Key} {reason.Value}"));
            return $"calls {_counts.GetValueOrDefault(MessageKind.Asked)}, executions {_counts.GetValueOrDefault(MessageKind.Began)}, joined on other nodes " +
                $"{_counts.GetValueOrDefault(MessageKind.Joined)}, alone {_counts.GetValueOrDefault(MessageKind.Bypassed)}{(alone.Length > 0 ? $" ({alone})" : "")}";
        }
    }

    public void Judge(int nodes)
    {
        lock (_gate)
        {
            foreach (var call in _calls.Values.Where(call => call.EndedAt == 0 && !_killed.ContainsKey(call.Node)))
            {
                violations.Add("R1 a call hangs", call.ToString());
            }

            var ended = _calls.Values.Where(static call => call.EndedAt != 0).ToList();
            foreach (var received in ended.Where(static call => call.Value is not null).GroupBy(static call => call.Value!))
            {
                JudgeResult(received.Key, [.. received]);
            }

            foreach (var call in ended.Where(static call => call.Value is null))
            {
                JudgeFailure(call);
            }

            foreach (var executions in _executions.Values.Where(static execution => !execution.IsCancelled).GroupBy(static execution => execution.Key))
            {
                JudgeNumber(executions.Key, nodes, [.. executions]);
                foreach (var own in executions.GroupBy(static execution => execution.Node))
                {
                    JudgeNumber($"{executions.Key} on {own.Key}", 1, [.. own]);
                }
            }
        }
    }

    private void JudgeResult(string value, CallRecord[] receivers)
    {
        if (!_executions.TryGetValue(value, out var execution))
        {
            violations.Add("R2 a result that nobody made", $"{value}: {receivers[0]}");
            return;
        }

        var first = receivers.MinBy(static call => call.EndedAt)!;
        foreach (var call in receivers)
        {
            if (call.Key != execution.Key)
            {
                violations.Add("R2 a result of another key", $"{value}: {call}");
            }

            if (execution.LeftAt == 0 || execution.Error is not null || execution.BeganAt > call.EndedAt)
            {
                violations.Add("R2 a result that its execution has not ended with", $"{value}: {execution} {call}");
            }
        }

        foreach (var call in receivers.Where(call => call.AskedAt > first.EndedAt))
        {
            violations.Add("R3 a result that was held before it was asked for", $"{value}: {execution}, first {first}, later {call}, {Milliseconds(first.EndedAt, call.AskedAt)} ms later");
        }
    }

    private void JudgeFailure(CallRecord call)
    {
        var isOwn = call.Error == "left"
            || (call.Error!.Split(": ") is [nameof(InvalidOperationException), var value] && _executions.TryGetValue(value, out var execution)
                && execution.Key == call.Key && execution.Node == call.Node);
        if (!isOwn)
        {
            violations.Add("R4 a call failed", call.ToString());
        }
    }

    private void JudgeNumber(string what, int most, ExecutionRecord[] executions)
    {
        var changes = executions
            .SelectMany(execution => ((long At, int Change)[])[(execution.BeganAt, 1), (EndOf(execution), -1)])
            .OrderBy(static change => change.At).ThenBy(static change => change.Change);
        var (now, greatest, at) = (0, 0, 0L);
        foreach (var change in changes)
        {
            now += change.Change;
            if (now > greatest)
            {
                (greatest, at) = (now, change.At);
            }
        }

        if (greatest > most)
        {
            violations.Add("R5 too many executions at a time", $"{greatest} of {what}: {string.Join("; ", executions.Where(execution => execution.BeganAt <= at && EndOf(execution) > at))}");
        }
    }

    private long EndOf(ExecutionRecord execution) =>
        execution.LeftAt != 0 ? execution.LeftAt : _killed.TryGetValue(execution.Node, out var at) ? Math.Max(at, execution.BeganAt) : long.MaxValue;

    private static double Milliseconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalMilliseconds;

    private sealed record CallRecord(string Node, string Key, long AskedAt)
    {
        public long EndedAt { get; set; }

        public string? Value { get; set; }

        public string? Error { get; set; }
    }

    private sealed record ExecutionRecord(string Node, string Key, long BeganAt)
    {
        public long LeftAt { get; set; }

        public string? Error { get; set; }

        public bool IsCancelled => Error?.Contains("cancel", StringComparison.OrdinalIgnoreCase) == true;
    }
}
