using System.Diagnostics;
using System.Text.Json;

namespace Polly.SingleFlight.Redis.Nodes;

/// <summary>A node, as its test sees it: a process that takes commands and whose lines are kept.</summary>
public sealed class NodeProcess : IDisposable
{
    /// <summary>How long anything may take. Long, since a slow machine is no fault.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly object _gate = new();
    private readonly Process _process;
    private readonly List<NodeMessage> _messages = [];
    private readonly Func<NodeMessage, bool>? _onMessage;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;

    private NodeProcess(NodeSettings settings, Process process, Func<NodeMessage, bool>? onMessage)
    {
        (Settings, _process, _onMessage) = (settings, process, onMessage);
        Closed = Task.Run(ReadAsync);
    }

    /// <summary>Gets what it was started with.</summary>
    public NodeSettings Settings { get; }

    /// <summary>Gets the task that ends with the node's last line.</summary>
    public Task Closed { get; }

    /// <summary>Gets what it has written so far.</summary>
    public IReadOnlyList<NodeMessage> Messages
    {
        get
        {
            lock (_gate)
            {
                return [.. _messages];
            }
        }
    }

    /// <summary>Starts a node, and waits until it takes commands.</summary>
    /// <param name="settings">Its settings.</param>
    /// <param name="onMessage">Told of each line, in order; returns whether the line is kept to be waited for. All are kept by default.</param>
    /// <returns>The node.</returns>
    public static async Task<NodeProcess> StartAsync(NodeSettings settings, Func<NodeMessage, bool>? onMessage = null)
    {
        var node = new NodeProcess(settings, ChildProcess.StartSelf("node", JsonSerializer.Serialize(settings)), onMessage);
        await node.WaitAsync(MessageKind.Ready);
        return node;
    }

    /// <summary>Makes a call.</summary>
    /// <param name="key">The key, without spaces.</param>
    /// <param name="work">What the callback does, if it is this node's that runs.</param>
    /// <returns>The number of the call.</returns>
    public int Call(string key, Work work)
    {
        var number = Interlocked.Increment(ref _calls);
        Send($"call {number} {key} {work}");
        return number;
    }

    /// <summary>Lets the callback of a call end.</summary>
    /// <param name="call">The number of the call.</param>
    public void Open(int call) => Send($"open {call}");

    /// <summary>Has a caller leave with its own token.</summary>
    /// <param name="call">The number of the call.</param>
    public void Leave(int call) => Send($"leave {call}");

    /// <summary>Forgets a key on all nodes.</summary>
    /// <param name="key">The key.</param>
    public void Forget(string key) => Send($"forget {key}");

    /// <summary>Waits until it is connected to the server.</summary>
    /// <returns>A task.</returns>
    public async Task ConnectAsync()
    {
        var before = Count(MessageKind.Done);
        Send("connect");
        await WaitAsync(MessageKind.Done, before + 1);
    }

    /// <summary>Has it dispose its group and end.</summary>
    public void Exit() => Send("exit");

    /// <summary>Ends it as a crash does.</summary>
    public void Kill() => ChildProcess.Kill(_process);

    /// <summary>Sends it a signal.</summary>
    /// <param name="signal">The name, such as STOP.</param>
    public void Signal(string signal) => ChildProcess.Signal(_process, signal);

    /// <summary>Returns how many lines of a kind there are.</summary>
    /// <param name="kind">The kind.</param>
    /// <returns>The number.</returns>
    public int Count(MessageKind kind) => Messages.Count(message => message.Kind == kind);

    /// <summary>Waits for lines of a kind.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="count">How many.</param>
    /// <returns>The last of them.</returns>
    public async Task<NodeMessage> WaitAsync(MessageKind kind, int count = 1) =>
        (await WaitAsync(messages => messages.Where(message => message.Kind == kind).ElementAtOrDefault(count - 1), $"{count} × {kind}"))!;

    /// <summary>Waits for a line.</summary>
    /// <param name="isIt">Whether it is the line.</param>
    /// <param name="what">What is waited for.</param>
    /// <param name="after">How many lines do not count.</param>
    /// <returns>The line.</returns>
    public async Task<NodeMessage> WaitAsync(Func<NodeMessage, bool> isIt, string what, int after = 0) =>
        (await WaitAsync(messages => messages.Skip(after).FirstOrDefault(isIt), what))!;

    /// <summary>Waits for the end of a call.</summary>
    /// <param name="call">The number of the call.</param>
    /// <returns>Its last line.</returns>
    public async Task<NodeMessage> EndOf(int call) =>
        (await WaitAsync(messages => messages.FirstOrDefault(message => message.Kind == MessageKind.Ended && message.Call == call), $"the end of call {call}"))!;

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    private async Task<NodeMessage?> WaitAsync(Func<IEnumerable<NodeMessage>, NodeMessage?> find, string what)
    {
        var begin = Stopwatch.GetTimestamp();
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (find(_messages) is { } found)
                {
                    return found;
                }

                changed = _changed.Task;
            }

            var left = Patience - Stopwatch.GetElapsedTime(begin);
            if (left <= TimeSpan.Zero || await Task.WhenAny(changed, Closed, Task.Delay(left)) != changed)
            {
                throw new TimeoutException($"Waited in vain for {what} of {Settings.Name}, which wrote: {string.Join(Environment.NewLine, Messages)}");
            }
        }
    }

    private void Send(string line)
    {
        lock (_process)
        {
            try
            {
                _process.StandardInput.WriteLine(line);
                _process.StandardInput.Flush();
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
            {
                // It was killed.
            }
        }
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            NodeMessage message;
            try
            {
                message = JsonSerializer.Deserialize<NodeMessage>(line, MessageWriter.Format)!;
            }
            catch (JsonException)
            {
                // It was killed while it wrote.
                continue;
            }

            if (_onMessage?.Invoke(message) == false)
            {
                continue;
            }

            TaskCompletionSource changed;
            lock (_gate)
            {
                _messages.Add(message);
                (changed, _changed) = (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            changed.SetResult();
        }
    }
}
