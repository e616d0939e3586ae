using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight.Caching.Tests;

/// <summary>What <c>AddCache</c> accepts, and what it refuses by name.</summary>
public sealed class OptionsTests : CacheTest
{
    [Fact]
    public void Defaults_AreThoseOfTheDocumentation()
    {
        var options = new CacheStrategyOptions<string>();

        Assert.Equal("Cache", options.Name);
        Assert.Equal(TimeSpan.FromMinutes(5), options.Lifetime);
        Assert.Equal(TimeSpan.Zero, options.StaleOnError);
        Assert.NotNull(options.KeyGenerator);
        Assert.Null(options.LifetimeGenerator);
        Assert.Null(options.ShouldCache);
        Assert.Null(options.OnHit);
        Assert.Null(options.OnMiss);
        Assert.Null(options.OnRefresh);
        Assert.Equal(default, CacheLifetime.None);
    }

    [Fact]
    public void AddCache_InvalidOptions_NamesTheOption()
    {
        AssertRefused(nameof(CacheStrategyOptions<>.KeyGenerator), static options => options.KeyGenerator = null!);
        AssertRefused(nameof(CacheStrategyOptions<>.Lifetime), static options => options.Lifetime = TimeSpan.Zero);
        AssertRefused(nameof(CacheStrategyOptions<>.Lifetime), static options => options.Lifetime = System.Threading.Timeout.InfiniteTimeSpan);
        AssertRefused(nameof(CacheStrategyOptions<>.StaleOnError), static options => options.StaleOnError = TimeSpan.FromTicks(-1));
    }

    [Fact]
    public void AddCache_ExtremeOptions_AreAccepted() => Builder<string>().AddCache(
        Memory, new CacheStrategyOptions<string> { Lifetime = TimeSpan.FromTicks(1), StaleOnError = TimeSpan.MaxValue, Name = null }).Build();

    [Fact]
    public void AddCache_MissingArguments_AreRefused()
    {
        var options = new CacheStrategyOptions<string>();
        ResiliencePipelineBuilder<string> none = null!;

        Assert.Equal("builder", Assert.Throws<ArgumentNullException>(() => none.AddCache(Memory, options)).ParamName);
        Assert.Equal("builder", Assert.Throws<ArgumentNullException>(() => none.AddCache(Hybrid(CacheKind.HybridL1), options)).ParamName);
        Assert.Equal("cache", Assert.Throws<ArgumentNullException>(() => Builder<string>().AddCache((IMemoryCache)null!, options)).ParamName);
        Assert.Equal("cache", Assert.Throws<ArgumentNullException>(() => Builder<string>().AddCache((HybridCache)null!, options)).ParamName);
        Assert.Equal("options", Assert.Throws<ArgumentNullException>(() => Builder<string>().AddCache(Memory, null!)).ParamName);
        Assert.Equal("options", Assert.Throws<ArgumentNullException>(() => Builder<string>().AddCache(Hybrid(CacheKind.HybridL1), null!)).ParamName);
    }

    [Fact]
    public void AddCache_BuilderWasUsed_IsRefused()
    {
        var builder = Builder<string>().AddCache(Memory, new CacheStrategyOptions<string>());
        builder.Build();

        Assert.Throws<InvalidOperationException>(() => builder.AddCache(Memory, new CacheStrategyOptions<string>()));
    }

    [Fact]
    public async Task Options_ChangedAfterTheBuild_ChangeNothing()
    {
        var options = Counted<string>();
        var pipeline = Cached(options);
        options.LifetimeGenerator = _ => new(CacheLifetime.None);
        options.KeyGenerator = _ => new((object?)null);
        await Fetch(pipeline, "key");

        Assert.Equal("key:1", await Fetch(pipeline, "key"));
    }

    private void AssertRefused(string option, Action<CacheStrategyOptions<string>> spoil)
    {
        var options = new CacheStrategyOptions<string>();
        spoil(options);

        Assert.Contains(option, Assert.Throws<ValidationException>(() => Builder<string>().AddCache(Memory, options)).Message, StringComparison.Ordinal);
        Assert.Contains(option, Assert.Throws<ValidationException>(() => Builder<string>().AddCache(Hybrid(CacheKind.HybridL1), options)).Message, StringComparison.Ordinal);
    }
}
