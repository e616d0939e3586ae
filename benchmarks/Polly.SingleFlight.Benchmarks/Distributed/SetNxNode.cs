using StackExchange.Redis;

namespace Polly.SingleFlight.Benchmarks.Distributed;

/// <summary>A node that does what is written first: a lock by SET NX, a result beside it, and waiting by polling.</summary>
internal sealed class SetNxNode(ConnectionMultiplexer connection, string scope) : Node(connection)
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(10);

    public override async Task<string> CallAsync(string key, Func<Task<string>> work)
    {
        RedisKey result = $"{scope}:result:{key}", held = $"{scope}:lock:{key}";
        while (true)
        {
            if (await Database.StringSetAsync(held, "1", s_lease, When.NotExists).ConfigureAwait(false))
            {
                try
                {
                    if (await Database.StringGetAsync(result).ConfigureAwait(false) is { HasValue: true } stored)
                    {
                        return stored!;
                    }

                    var value = await work().ConfigureAwait(false);
                    await Database.StringSetAsync(result, value, s_lease).ConfigureAwait(false);
                    return value;
                }
                finally
                {
                    await Database.KeyDeleteAsync(held).ConfigureAwait(false);
                }
            }

            await Task.Delay(s_poll).ConfigureAwait(false);
            if (await Database.StringGetAsync(result).ConfigureAwait(false) is { HasValue: true } found)
            {
                return found!;
            }
        }
    }
}
