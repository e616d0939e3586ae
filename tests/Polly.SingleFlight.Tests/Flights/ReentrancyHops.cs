using System.Threading.Channels;

namespace Polly.SingleFlight.Tests.Flights;

/// <summary>Ways to go on without the execution context of the callback.</summary>
public enum Hop
{
    /// <summary>No hop: the execution context flows.</summary>
    None,
    UnsafeQueue,
    SuppressedFlow,

    /// <summary>An actor, whose loop runs on the execution context of whoever started it.</summary>
    Consumer,
}

/// <summary>What comes through the hop.</summary>
public enum Carrier
{
    Token,
    Context,
    CopiedProperties,
}

/// <summary>How the nested execution is made.</summary>
public enum Shape
{
    Async,
    Outcome,
    Synchronous,
}

public static class Hops
{
    public static Task<int> Run(this Hop hop, Func<Task<int>> work, ChannelWriter<Func<Task>> consumer)
    {
        var result = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        switch (hop)
        {
            case Hop.UnsafeQueue:
                ThreadPool.UnsafeQueueUserWorkItem(_ => _ = Complete(), null);
                break;
            case Hop.SuppressedFlow:
                using (ExecutionContext.SuppressFlow())
                {
                    _ = Task.Run(Complete);
                }

                break;
            default:
                Assert.True(consumer.TryWrite(Complete));
                break;
        }

        return result.Task;

        async Task Complete()
        {
            try
            {
                result.SetResult(await work());
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        }
    }

    /// <summary>Starts an actor on the caller's execution context. It does not wait for what it was given before it takes the next.</summary>
    public static Channel<Func<Task>> StartConsumer()
    {
        var channel = Channel.CreateUnbounded<Func<Task>>();
        _ = Task.Run(async () =>
        {
            await foreach (var work in channel.Reader.ReadAllAsync())
            {
                _ = work();
            }
        });
        return channel;
    }

    /// <summary>Executes with nothing of the flight but what the carrier brings.</summary>
    public static async Task<int> Execute(
        this Shape shape, ResiliencePipeline pipeline, Carrier carrier, ResilienceContext flight, object key, Func<ResilienceContext, Task<int>> callback)
    {
        var context = carrier switch
        {
            Carrier.Context => flight,
            Carrier.Token => ResilienceContextPool.Shared.Get(flight.CancellationToken),
            _ => ResilienceContextPool.Shared.Get(),
        };
        if (carrier == Carrier.CopiedProperties)
        {
            CopyProperties(flight, context);
        }

        try
        {
            context.SetSingleFlightKey(key);
            return shape switch
            {
                Shape.Async => await pipeline.ExecuteAsync(async context => await callback(context), context),
                Shape.Synchronous => pipeline.Execute(context => callback(context).GetAwaiter().GetResult(), context),
                _ => (await pipeline.ExecuteOutcomeAsync(
                    static async (context, callback) => Outcome.FromResult(await callback(context)), context, callback)).Result,
            };
        }
        finally
        {
            if (context != flight)
            {
                ResilienceContextPool.Shared.Return(context);
            }
        }
    }

    public static void CopyProperties(ResilienceContext from, ResilienceContext to)
    {
        from.Properties.SetProperties(new Dictionary<string, object?>(), out var entries);
        from.Properties.SetProperties(entries, out _);
        to.Properties.SetProperties(new Dictionary<string, object?>(entries), out _);
    }
}
