using System.Collections;
using System.Reflection;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>A key is compared with what is in its request, and does not outlive its flight with it.</summary>
public sealed class KeyRetentionTests : HttpTest
{
    private const string Secret = "Bearer s3cret";

    [Fact]
    public async Task Snapshot_FlightHasEnded_HoldsNothingOfTheRequest()
    {
        var client = Client(new Upstream(Gate, static _ => Ok("x")), Pipeline(Options(static options => options.Discriminator = static _ => Secret)));
        var callers = await Start(client, 2, static () => Get().With("Authorization", Secret));
        var key = Group.GetFlights().Single().Key;
        Assert.True(Holds(key, Secret));
        Gate.Open();
        await Bodies(callers);

        Assert.False(Holds(key, Secret));
        Assert.Equal(key, key);
        Assert.DoesNotContain(Secret, key.ToString(), StringComparison.Ordinal);
        Assert.False(Group.Forget(key));
    }

    [Fact]
    public async Task Memory_OfRequestsThatCannotBeShared_HoldsAFingerprintAndFindsThem()
    {
        var options = Options();
        options.Discriminator = static _ => Secret;
        var keys = new HttpRequestKeys(options);
        var memory = new UnshareableMemory(TimeSpan.FromSeconds(30), Clock);
        memory.Add((await KeyOf(keys, options, Secret))!);

        Assert.False(Holds(memory, Secret));
        Assert.True(memory.Contains((await KeyOf(keys, options, Secret))!));
        Assert.False(memory.Contains((await KeyOf(keys, options, "Bearer another"))!));
    }

    [Fact]
    public async Task HandOver_PredecessorHasEnded_NewcomersStillFindTheSuccessor()
    {
        var first = new Gate();
        var upstream = new Upstream(async (sent, token) =>
        {
            if (sent.Number == 1)
            {
                await first.Opened;
                token.ThrowIfCancellationRequested();
            }

            await Gate.Opened.WaitAsync(token);
            return Ok("answer " + sent.Number);
        });
        var client = Client(upstream, Pipeline(Options(static options => options.LeaderDeparture = LeaderDeparture.HandOver)));
        using var source = new CancellationTokenSource();
        var callers = await Start(3, i => client.SendAsync(Get().With("Authorization", Secret), i == 0 ? source.Token : default));
        var old = Group.GetFlights().Single().Key;
        await source.CancelAsync();
        await upstream.Received(2);
        first.Open();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => callers[0]);
        await Ended(old);

        var joined = Probe[Joined];
        var newcomer = client.SendAsync(Get().With("Authorization", Secret)).Soon();
        await Probe.Reached(Joined, joined + 1);
        Gate.Open();

        Assert.All(await Bodies([.. callers[1..], newcomer]), static body => Assert.Equal("answer 2", body));
    }

    private static async Task<HttpFlightKey?> KeyOf(HttpRequestKeys keys, HttpSingleFlightStrategyOptions options, string credential)
    {
        using var request = Get().With("Authorization", credential);
        return keys.Create((await new HttpRequestReader(options).ReadAsync(request, CancellationToken.None)).Call!);
    }

    /// <summary>Waits until the flight of a key has given it up, which is the last that it does.</summary>
    private static async Task Ended(object key)
    {
        while (((HttpFlightKey)key).ToFingerprint() is not null)
        {
            await Task.Yield();
        }
    }

    /// <summary>Whether a text can be reached from an object by fields and elements.</summary>
    private static bool Holds(object root, string text)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var open = new Stack<object?>([root]);
        while (open.TryPop(out var next))
        {
            switch (next)
            {
                case null:
                    break;
                case string found when found.Contains(text, StringComparison.Ordinal):
                    return true;
                case string or Type or Delegate or Pointer:
                    break;
                case not null when !seen.Add(next) || next.GetType().IsPrimitive:
                    break;
                default:
                    if (next is IEnumerable elements and not IEnumerable<char>)
                    {
                        foreach (var element in elements)
                        {
                            open.Push(element);
                        }
                    }

                    for (var type = next.GetType(); type is not null && type != typeof(object); type = type.BaseType)
                    {
                        foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly))
                        {
                            open.Push(field.FieldType.IsPointer || field.FieldType.IsByRefLike ? null : field.GetValue(next));
                        }
                    }

                    break;
            }
        }

        return false;
    }
}
