using BenchmarkDotNet.Running;
using Polly.SingleFlight.Benchmarks.Quick;

if (args is ["--quick", .. var rest])
{
    // On the thread pool, where callers of a pipeline live: what completes there queues to that thread's own queue.
    return await Task.Run(() => QuickRun.RunAsync(rest, Console.Out));
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
