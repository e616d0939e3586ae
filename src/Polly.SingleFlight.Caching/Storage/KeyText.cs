using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Polly.SingleFlight.Caching.Storage;

/// <summary>Spells a key the same way in every process and culture, and no two keys alike.</summary>
internal static class KeyText
{
    /// <summary>Longer keys are stored under their hash. Microsoft's cache takes 1024 characters, others less.</summary>
    private const int Longest = 400;

    /// <summary>
    /// The scope, the result type and the key, or a hash of them where caches would refuse it. The hash is of the characters as they are: an encoding would make one
    /// replacement character of every unpaired surrogate, and so one key of several.
    /// </summary>
    public static string StorageKey(KeyPrefix prefix, object key)
    {
        var spelled = key as string ?? Spell(key);
        var text = (key is string ? prefix.OfStrings : prefix.Text) + spelled;
        return text.Length <= Longest && prefix.IsPlain && IsPlain(spelled)
            ? text
            : "Polly.SingleFlight#" + Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(text.AsSpan())));
    }

    private static string Spell(object? key) => key switch
    {
        null => "n",
        string text => "s" + text,
        bool value => value ? "b1" : "b0",
        char value => "c" + value,
        Guid value => "g" + value.ToString("N"),
        Enum value => $"e{value.GetType()}:{value:D}",
        sbyte or byte or short or ushort or int or uint or long or ulong or Int128 or UInt128 or decimal or double or float or Half
            => $"{key.GetType().Name}:{((IFormattable)key).ToString(null, CultureInfo.InvariantCulture)}",
        DateTime value => "d" + value.ToString("O", CultureInfo.InvariantCulture),
        DateTimeOffset value => "o" + value.UtcTicks.ToString(CultureInfo.InvariantCulture),
        DateOnly value => "D" + value.ToString("O", CultureInfo.InvariantCulture),
        TimeSpan value => "p" + value.Ticks.ToString(CultureInfo.InvariantCulture),
        Uri value => "u" + value.OriginalString,
        ITuple tuple => SpellAll(tuple),
        _ => throw new InvalidOperationException(
            $"The key of this execution is, or contains, a {key.GetType()}, which a HybridCache cannot be given: it is not known to be spelled the same in " +
            "every process. Use a string, a number, a bool, a Guid, an enumeration, a date, a Uri, or a tuple of these, with SetSingleFlightKey, or give " +
            "CacheStrategyOptions a KeyGenerator that makes one of it."),
    };

    /// <summary>Each part is preceded by its length, so that no two tuples spell the same.</summary>
    private static string SpellAll(ITuple tuple)
    {
        var text = new StringBuilder("t").Append(tuple.Length);
        for (var i = 0; i < tuple.Length; i++)
        {
            var part = Spell(tuple[i]);
            text.Append(CultureInfo.InvariantCulture, $"|{part.Length}:{part}");
        }

        return text.ToString();
    }

    /// <summary>Whether there are neither control characters nor halves of surrogate pairs, which not every cache takes.</summary>
    public static bool IsPlain(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return true;
        }

        foreach (var character in text)
        {
            if (char.IsControl(character) || char.IsSurrogate(character))
            {
                return false;
            }
        }

        return true;
    }
}
