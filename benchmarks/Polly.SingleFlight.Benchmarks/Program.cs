using BenchmarkDotNet.Running;
using Polly.SingleFlight.Benchmarks.Distributed;
using Polly.SingleFlight.Benchmarks.Quick;

if (args is ["--quick", .. var rest])
{
    // On the thread pool, where callers of a pipeline live: what completes there queues to that thread's own queue.
    return await Task.Run(() => QuickRun.RunAsync(rest, Console.Out));
}

if (args is ["--distributed", .. var server])
{
    return await Task.Run(() => DistributedRun.RunAsync(server, Console.Out));
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
