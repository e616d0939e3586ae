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
