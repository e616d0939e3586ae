using Polly.SingleFlight.Caching.Storage;

namespace Polly.SingleFlight.Caching.Tests;

/// <summary>What an entry is stored under in a hybrid cache.</summary>
public sealed class StorageKeyTests
{
    [Fact]
    public async Task Keys_OfTwoScopesOnManyThreads_AreNeverMixed()
    {
        string[] scopes = [new('a', 20), new('b', 20)];

        var mixed = await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            var mixed = 0;
            for (var i = 0; i < 200_000; i++)
            {
                var scope = scopes[(worker + (i / 3)) % 2];
                var prefix = TypePrefix<string>.Of(scope);
                mixed += prefix.Scope == scope && KeyText.StorageKey(prefix, "key").StartsWith(scope, StringComparison.Ordinal) ? 0 : 1;
            }

            return mixed;
        })));

        Assert.All(mixed, static count => Assert.Equal(0, count));
    }

    [Theory]
    [InlineData("key")]
    [InlineData("schlüssel")]
    [InlineData("")]
    [InlineData("with\ncontrol")]
    [InlineData("\ud800")]
    public void Key_OfText_IsTheTextOrItsHash(string key)
    {
        var text = KeyText.StorageKey(new KeyPrefix("scope", typeof(string)), key);

        Assert.Equal(key.All(static character => !char.IsControl(character) && !char.IsSurrogate(character)), text == $"scope|System.String|s{key}");
        Assert.All(text, static character => Assert.False(char.IsControl(character) || char.IsSurrogate(character)));
    }

    [Fact]
    public void Keys_ThatDiffer_AreSpelledApart()
    {
        object[] keys =
        [
            "1", 1, 1L, (short)1, 1u, 1.0, 1m, '1', true, "b1", "Int32:1", Guid.Empty, DayOfWeek.Monday, (1, 1), ("1", 1), (1, "1"), ("1|1", 1), ("1", "1|1"), ((1, 1), 1), (1, (1, 1)),
            Tuple.Create("a", (string?)null), ("a", "n"), "n", new Uri("https://a.example"), "uhttps://a.example", DateTimeOffset.UnixEpoch, TimeSpan.Zero, "\ud800", "\ud801", "\ufffd",
        ];

        Assert.Equal(keys.Length, keys.Select(static key => KeyText.StorageKey(new KeyPrefix("scope", typeof(string)), key)).Distinct().Count());
    }
}
