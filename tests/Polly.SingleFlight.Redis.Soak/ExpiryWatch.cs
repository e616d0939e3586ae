using Polly.SingleFlight.Soak;
using StackExchange.Redis;

namespace Polly.SingleFlight.Redis.Soak;

/// <summary>
/// Looks whether there is a key without an expiry, which there must not be at any instant. Where scripts are not one step, as in Garnet, it may lack it for the time between two
/// commands of a script, so that a key has to be seen twice.
/// </summary>
internal sealed class ExpiryWatch(IDatabase database, bool isAtomic, Violations violations)
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
        string[] before = [];
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
            try
            {
                var found = (string[])(await database.ScriptEvaluateAsync(Look))!;
                if (found.Where(key => isAtomic || before.Contains(key)).ToArray() is { Length: > 0 } keys)
                {
                    violations.Add("A key does not expire", string.Join(", ", keys));
                }

                before = found;
            }
            catch (RedisException)
            {
                // The connection was cut.
            }
        }
    }
}
