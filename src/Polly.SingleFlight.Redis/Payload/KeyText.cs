using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Polly.SingleFlight.Redis.Payload;

/// <summary>Spells a key the same way in every process and culture, and no two keys alike.</summary>
internal static class KeyText
{
    /// <exception cref="InvalidOperationException">The key is not known to be spelled the same in every process; the message says what to use.</exception>
    public static string Spell(object? key) => key switch
    {
        null => "n",
        string text => "s" + text,
        bool value => value ? "b1" : "b0",
        Guid value => "g" + value.ToString("N"),
        Enum value => $"e{value.GetType()}:{value:D}",
        decimal value => "m" + value.ToString("G29", CultureInfo.InvariantCulture),
        sbyte or byte or short or ushort or int or uint or long or ulong or nint or nuint or Int128 or UInt128 or double or float or Half
            => $"{key.GetType().Name}:{((IFormattable)key).ToString(null, CultureInfo.InvariantCulture)}",
        System.Numerics.BigInteger value => "i" + value.ToString(CultureInfo.InvariantCulture),
        ITuple tuple when IsSystemTuple(tuple) => SpellAll(tuple),
        _ => throw new InvalidOperationException(
            $"The key of this execution is, or contains, a {key.GetType()}, which is not known to be spelled the same on every node. Use a string, a number, a bool, a Guid, " +
            "an enumeration, or a tuple of these, with SetSingleFlightKey, or give DistributedSingleFlightStrategyOptions a KeyGenerator that makes one of it."),
    };

    private static bool IsSystemTuple(ITuple tuple) => tuple.GetType() is { Namespace: "System" } type && type.Assembly == typeof(ValueTuple).Assembly;

    /// <summary>Each part is preceded by its length, so that no two tuples spell the same.</summary>
    private static string SpellAll(ITuple tuple)
    {
        var text = new StringBuilder(tuple is ValueType ? "v" : "t").Append(tuple.Length);
        for (var i = 0; i < tuple.Length; i++)
        {
            var part = Spell(tuple[i]);
            text.Append(CultureInfo.InvariantCulture, $"|{part.Length}:{part}");
        }

        return text.ToString();
    }
}
