using Polly.SingleFlight.Soak;
using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Soak;

/// <summary>Looks whether there is a key without an expiry, which there must not be at any instant.</summary>
internal sealed class ExpiryWatch(IDatabase database, Violations violations)
{
    /// <summary>Returns the keys that do not expire.</summary>
    private const string Look = """
        local found = {}
        for _, key in ipairs(redis.call('KEYS', 'polly-sf:*')) do
          if redis.call('PTTL', key) == -1 then table.insert(found, key) end
        end
        return found
        """;

    public static async Task<string[]> KeysAsync(IDatabase database) => (string[])(await database.ExecuteAsync("KEYS", "polly-sf:*"))!;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
            try
            {
                if ((string[])(await database.ScriptEvaluateAsync(Look))! is { Length: > 0 } keys)
                {
                    violations.Add("A key does not expire", string.Join(", ", keys));
                }
            }
            catch (RedisException)
            {
                // The connection was cut.
            }
        }
    }
}
