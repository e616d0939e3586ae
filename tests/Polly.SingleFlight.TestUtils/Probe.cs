namespace Polly.SingleFlight.Tests.Infrastructure;

/// <summary>Counts named events, and lets a test wait until one has happened so many times.</summary>
public sealed class Probe
{
    private readonly Dictionary<string, int> _counts = [];
    private readonly List<(string Name, int Count, TaskCompletionSource Reached)> _waits = [];

    public int this[string name]
    {
        get
        {
            lock (_counts)
            {
                return _counts.GetValueOrDefault(name);
            }
        }
    }

    public void Hit(string name)
    {
        lock (_counts)
        {
            var count = _counts[name] = _counts.GetValueOrDefault(name) + 1;
            Monitor.PulseAll(_counts);
            foreach (var wait in _waits)
            {
                if (wait.Name == name && wait.Count <= count)
                {
                    wait.Reached.TrySetResult();
                }
            }
        }
    }

    public Task Reached(string name, int count)
    {
        lock (_counts)
        {
            if (_counts.GetValueOrDefault(name) >= count)
            {
                return Task.CompletedTask;
            }

            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waits.Add((name, count, reached));
            return reached.Task.Soon();
        }
    }

    /// <summary>Blocks the calling thread until then; needs no other thread, unlike <see cref="Reached"/>.</summary>
    public void WaitFor(string name, int count)
    {
        lock (_counts)
        {
            while (_counts.GetValueOrDefault(name) < count)
            {
                Assert.True(Monitor.Wait(_counts, TimeSpan.FromSeconds(60)), $"Waited in vain for {count} x {name}.");
            }
        }
    }
}
