using System.Reflection;

namespace Polly.SingleFlight.Tests.Infrastructure;

public static class Registrations
{
    /// <summary>How many registrations a token source has at the moment. Reads the runtime's own field, as there is no public way.</summary>
    public static int Count(CancellationTokenSource source)
    {
        var registrations = Field(typeof(CancellationTokenSource), "_registrations").GetValue(source);
        if (registrations is null)
        {
            return 0;
        }

        var count = 0;
        var node = Field(registrations.GetType(), "Callbacks").GetValue(registrations);
        while (node is not null)
        {
            count++;
            node = Field(node.GetType(), "Next").GetValue(node);
        }

        return count;
    }

    private static FieldInfo Field(Type type, string name) =>
        type.GetField(name, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
        ?? throw new InvalidOperationException($"{type} has no field {name} any more; find another way to count registrations.");
}
