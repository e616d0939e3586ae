using System.Diagnostics;
using System.Reflection;
using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Tests.Flights;

/// <summary>What a debugger shows of the engine's objects, also while another thread is inside a gate.</summary>
public sealed class DebuggerDisplayTests : FlightTest
{
    [Fact]
    public async Task Text_WhileAGateIsHeld_IsReadWithoutWaiting()
    {
        var gate = new Gate();
        var leader = Call(Build(), "key", async _ =>
        {
            await gate.Opened;
            return 1;
        });
        var stripe = Group.Table.StripeOf(Group.Table.Hash("key"));
        string[] texts = [];
        using (stripe.Gate.Enter())
        {
            var flight = stripe.All_NeedsLock().Single();

            // Evaluated on another thread, as a debugger would while it has stopped this one.
            var debugger = new Thread(() => texts = [Show(Group), Show(Group.Table), Show(flight)]);
            debugger.Start();
            Assert.True(debugger.Join(TimeSpan.FromSeconds(30)), "It waited for the gate.");
        }

        Assert.Equal("joinable flights: 1", texts[0]);
        Assert.Equal("joinable flights: 1", texts[1]);
        Assert.Contains("1 of 1 callers", texts[2], StringComparison.Ordinal);
        gate.Open();
        await leader;
    }

    [Fact]
    public async Task Text_OfAFollower_NamesItsFlight()
    {
        var gate = new Gate();
        var pipeline = Build();
        var leader = Call(pipeline, "key", Hold);
        var follower = Call(pipeline, "key", Hold);
        await Probe.Reached(Joined, 1);
        var stripe = Group.Table.StripeOf(Group.Table.Hash("key"));
        Flight flight;
        using (stripe.Gate.Enter())
        {
            flight = stripe.All_NeedsLock().Single();
        }

        var waiter = typeof(Flight<int>).GetField("_followers", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(flight)!;
        Assert.Equal($"follower of #{flight.Id}", Show(waiter));
        gate.Open();
        await Task.WhenAll(leader, follower);

        async Task<int> Hold(ResilienceContext context)
        {
            await gate.Opened;
            return 1;
        }
    }

    [Fact]
    public async Task Proxies_WhileAGateIsHeld_ShowCallersAgeAndNoKey()
    {
        var gate = new Gate();
        var pipeline = Build();
        using var source = new CancellationTokenSource();
        var leader = Call(pipeline, "secret", Hold);
        var followers = new[] { Call(pipeline, "secret", Hold), Call(pipeline, "secret", Hold, source.Token) };
        await Probe.Reached(Joined, 2);
        Clock.Advance(TimeSpan.FromSeconds(3));
        var stripe = Group.Table.StripeOf(Group.Table.Hash("secret"));
        var (group, table, flight, waiters) = (Members(), Members(), Members(), Array.Empty<Dictionary<string, object?>>());
        using (stripe.Gate.Enter())
        {
            // As above.
            var debugger = new Thread(() =>
            {
                group = Proxy(Group);
                table = Proxy(Group.Table);
                flight = Proxy(Group.Table.FlightsSeen.Single());
                waiters = [.. ((object[])flight["Followers"]!).Select(Proxy)];
            });
            debugger.Start();
            Assert.True(debugger.Join(TimeSpan.FromSeconds(30)), "It waited for the gate.");
        }

        Assert.Equal((3, 3, TimeSpan.FromSeconds(3), true, typeof(int)), (flight["Callers"], flight["Joined"], flight["Age"], flight["IsRunning"], flight["ResultType"]));
        Assert.Equal((FlightState.Joinable, LeaderState.Waiting), (flight["State"], flight["Leader"]));
        foreach (var flights in new[] { group["Flights"], table["Flights"] })
        {
            Assert.Equal(flight["Id"], Assert.Single((FlightDebugView[])flights!).Id);
        }

        Assert.Equal([false, true], waiters.Select(static waiter => waiter["CanLeave"]));
        Assert.All(waiters, waiter => Assert.Equal(
            ((long)flight["Id"]!, (object)false, (object)true, (object)0, (object?)null), (((FlightDebugView)waiter["Flight"]!).Id, waiter["IsClaimed"], waiter["IsReady"], waiter["Elections"], waiter["AloneBecause"])));
        Assert.All(
            new[] { group, table, flight }.Concat(waiters).SelectMany(static members => members.Values),
            static value => Assert.DoesNotContain("secret", $"{value}", StringComparison.Ordinal));
        gate.Open();
        await Task.WhenAll([leader, .. followers]);
        Assert.Empty((FlightDebugView[])Proxy(Group)["Flights"]!);

        static Dictionary<string, object?> Members() => [];

        async Task<int> Hold(ResilienceContext context)
        {
            await gate.Opened;
            return 1;
        }
    }

    [Fact]
    public async Task Proxies_OfManyFlights_ShowTheOldestFirst()
    {
        var gate = new Gate();
        var pipeline = Build();
        var calls = new List<Task<int>>();
        for (var i = 0; i < 40; i++)
        {
            calls.Add(Call(pipeline, i, async _ =>
            {
                await gate.Opened;
                return 1;
            }));
            Clock.Advance(TimeSpan.FromSeconds(1));
        }

        var ages = ((FlightDebugView[])Proxy(Group)["Flights"]!).Select(static flight => flight.Age!.Value.TotalSeconds);
        Assert.Equal(Enumerable.Range(1, 40).Reverse().Select(static seconds => (double)seconds), ages);
        gate.Open();
        await Task.WhenAll(calls);
    }

    /// <summary>Creates the proxy that the attribute of a type names, and reads its properties, as a debugger does.</summary>
    private static Dictionary<string, object?> Proxy(object value)
    {
        for (var type = value.GetType(); type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<DebuggerTypeProxyAttribute>(inherit: false) is { } attribute)
            {
                var proxyType = Type.GetType(attribute.ProxyTypeName, throwOnError: true)!;
                proxyType = proxyType.IsGenericTypeDefinition ? proxyType.MakeGenericType(type.GetGenericArguments()) : proxyType;
                var proxy = Activator.CreateInstance(proxyType, value)!;
                return proxyType.GetProperties().ToDictionary(static property => property.Name, property => property.GetValue(proxy));
            }
        }

        throw new InvalidOperationException($"{value.GetType()} has no proxy.");
    }

    /// <summary>Evaluates the attribute of a type as a debugger does: the property that it names, and of the value the same.</summary>
    private static string Show(object value)
    {
        for (var type = value.GetType(); type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<DebuggerDisplayAttribute>(inherit: false) is { } display)
            {
                var name = display.Value.Trim('{', '}').Split(',')[0];
                var shown = type.GetProperty(name, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)!.GetValue(value)!;
                return shown as string ?? Show(shown);
            }
        }

        throw new InvalidOperationException($"{value.GetType()} has no DebuggerDisplay.");
    }
}
