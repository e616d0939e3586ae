namespace Polly.SingleFlight.Tests.Infrastructure;

/// <summary>Has two threads do the same thing at the same moment, as nearly as that can be had, many times.</summary>
public static class Rendezvous
{
    /// <param name="rounds">How many times.</param>
    /// <param name="act">Gets the number of the round, from 0. It must not throw, since the other thread would wait for this one.</param>
    public static Task OfTwoThreads(int rounds, Action<int> act)
    {
        var arrived = 0;
        return Task.WhenAll(Enumerable.Range(0, 2).Select(thread => SyncCall.Start(() =>
        {
            for (var round = 0; round < rounds; round++)
            {
                Interlocked.Increment(ref arrived);
                for (var looks = 1; Volatile.Read(ref arrived) < 2 * (round + 1); looks++)
                {
                    if (looks % 2000 == 0)
                    {
                        Thread.Yield();
                    }
                }

                // The thread that arrives last is ahead of the other. Delays that change from round to round make up for it.
                var delay = round % (thread == 0 ? 61 : 67);
                for (var i = 0; i < delay; i++)
                {
                    Volatile.Read(ref arrived);
                }

                act(round);
            }

            return true;
        })));
    }
}
