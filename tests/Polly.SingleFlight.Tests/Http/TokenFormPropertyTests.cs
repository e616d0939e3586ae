using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Two token requests have equal keys exactly when their decoded form fields are the same, in any order.</summary>
public sealed class TokenFormPropertyTests
{
    private const int Pairs = 5_000;

    private static readonly string[] s_pieces = ["a", "b", "ab", " ", "+", "&", "=", "%", "%26", ";", "\0", "\n", "\u00fc", "u\u0308", "\ud83d\ude00", "\ufffd", "scope", ":", ","];

    private readonly HttpSingleFlightStrategyOptions _options = HttpSingleFlightStrategyOptions.ForTokenEndpoint();
    private int _equal;

    private static Gen<string> Text { get; } =
        from count in Gen.Choose(0, 3)
        from pieces in Gen.Elements(s_pieces).ArrayOf(count)
        select string.Concat(pieces);

    private static Gen<(string Name, string Value)> Field { get; } =
        from name in Text
        from value in Text
        select (name, value);

    private static Arbitrary<((string Name, string Value)[] One, (string Name, string Value)[] Other, int Seed)> Forms { get; } = (
        from count in Gen.Choose(0, 4)
        from one in Field.ArrayOf(count)
        from fresh in Field
        from change in Gen.Choose(0, 7)
        from seed in Gen.Choose(0, int.MaxValue - 1)
        select (one, Change(one, fresh, change), seed)).ToArbitrary();

    [Fact]
    public void TokenKey_AnyTwoForms_EqualExactlyWhenTheFieldsAre()
    {
        Prop.ForAll(Forms, HaveEqualKeysIfTheSame).Check(Config.QuickThrowOnFailure.WithMaxTest(Pairs).WithQuietOnSuccess(true));

        Assert.InRange(_equal, Pairs / 10, Pairs * 9 / 10);
    }

    private static (string Name, string Value)[] Change((string Name, string Value)[] form, (string Name, string Value) fresh, int change) => change switch
    {
        0 => [.. form, fresh],
        1 => [.. form.Skip(1)],
        2 => [.. form, .. form.Take(1)],
        3 when form.Length > 0 => [(form[0].Name, fresh.Value), .. form[1..]],
        4 when form.Length > 0 => [(form[0].Name + form[0].Value, ""), .. form[1..]],
        5 when form.Length > 1 => [(form[0].Name, form[1].Value), (form[1].Name, form[0].Value), .. form[2..]],
        _ => form,
    };

    private static HttpRequestMessage Request(IEnumerable<(string Name, string Value)> form, Random random)
    {
        (string Name, string Value)[] fields = [.. form, ("grant_type", "client_credentials")];
        random.Shuffle(fields);
        var body = string.Join('&', fields.Select(field => Encode(field.Name, random) + "=" + Encode(field.Value, random)));
        return new(HttpMethod.Post, "http://upstream.test/token") { Content = new StringContent(body, Encoding.ASCII, "application/x-www-form-urlencoded") };
    }

    /// <summary>One of the many ways to write it.</summary>
    private static string Encode(string text, Random random) => string.Concat(Encoding.UTF8.GetBytes(text).Select(value => (char)value switch
    {
        ' ' when random.Next(2) == 0 => "+",
        >= 'a' and <= 'z' when random.Next(4) > 0 => ((char)value).ToString(),
        _ => random.Next(2) == 0 ? $"%{value:X2}" : $"%{value:x2}",
    }));

    private static IEnumerable<(string Name, string Value)> Sorted(IEnumerable<(string Name, string Value)> form) =>
        form.OrderBy(static field => field.Name, StringComparer.Ordinal).ThenBy(static field => field.Value, StringComparer.Ordinal);

    private bool HaveEqualKeysIfTheSame(((string Name, string Value)[] One, (string Name, string Value)[] Other, int Seed) forms)
    {
        var random = new Random(forms.Seed);
        using var one = Request(forms.One, random);
        using var other = Request(forms.Other, random);
        var same = Sorted(forms.One).SequenceEqual(Sorted(forms.Other));
        _equal += same ? 1 : 0;
        var left = KeyPropertyTests.Key(_options, one).GetAwaiter().GetResult();
        var right = KeyPropertyTests.Key(_options, other).GetAwaiter().GetResult();
        return left is not null && right is not null && left.Equals(right) == same;
    }
}
