using Polly.SingleFlight.Redis.Payload;

namespace Polly.SingleFlight.Redis.Tests.Infrastructure;

/// <summary>A leader that is no node: it writes into Redis what the test wants.</summary>
internal sealed class Stranger(RedisServer server, RedisSingleFlightGroup group, object key, Type type)
{
    public FlightName Name { get; } = group.Identity.NameOf(key, group.Identity.KindOf(type, "json", 0));

    /// <summary>The id that it leads with.</summary>
    public string Id { get; private set; } = "";

    private static RedisValue Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;

    /// <summary>Leads the flight, with a new id, for a minute. Those who wait remain.</summary>
    public async Task LeadAsync()
    {
        Id = FlightName.NewLeader();
        await server.Database.HashSetAsync(Name.Flight, [new("l", Id), new("s", Now), new("i", "polly-sf:{stranger}:in")]);
        await server.Database.KeyExpireAsync(Name.Flight, TimeSpan.FromMinutes(1));
        await server.Database.HashSetAsync(Name.Index, [new(Name.Kind, Id)]);
        await server.Database.KeyExpireAsync(Name.Index, TimeSpan.FromMinutes(1));
    }

    /// <summary>Sends the group a message.</summary>
    public Task TellAsync(char letter, string leader) =>
        server.Connection.GetSubscriber().PublishAsync(RedisChannel.Literal(group.Engine.Inbox.WireName), letter + leader);

    /// <summary>Leaves an outcome, written as it says, and ends the flight.</summary>
    public async Task EndAsync(RedisValue outcome)
    {
        await server.Database.StringSetAsync(Name.Outcome(Id), outcome, TimeSpan.FromSeconds(5));
        await VanishAsync();
        await TellAsync('O', Id);
    }

    /// <summary>Is gone without a word.</summary>
    public Task VanishAsync() => server.Database.KeyDeleteAsync([Name.Flight, Name.Index]);
}
