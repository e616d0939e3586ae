namespace Polly.SingleFlight.Tests.Http;

/// <summary>A response that varies by a header that is not in the key is shared only by callers who sent the same value.</summary>
public sealed class VaryTests : HttpTest
{
    private Upstream Varying(string vary) =>
        new(Gate, sent => Ok($"{sent.Header("X-Request-Id")}").With("Vary", vary));

    [Theory]
    [InlineData("X-Request-Id")]
    [InlineData("x-request-id")]
    [InlineData("Accept, X-REQUEST-ID")]
    public async Task NamesAnExcludedHeader_ValuesDiffer_FollowersWithAnotherValueDoNotShare(string vary)
    {
        var upstream = Varying(vary);
        var client = Client(upstream);
        string[] ids = ["1", "2", "1", "3", "1"];
        var callers = await Start(5, i => client.SendAsync(Get(null, ("X-Request-Id", ids[i]))));
        Gate.Open();

        Assert.Equal(ids, await Bodies(callers));
        Assert.Equal(3, upstream.Calls);
    }

    [Fact]
    public async Task NamesAnExcludedHeader_OneHasNone_DoesNotShare()
    {
        var upstream = Varying("X-Request-Id");
        var client = Client(upstream);
        var callers = await Start(2, i => client.SendAsync(i == 0 ? Get() : Get(null, ("X-Request-Id", "1"))));
        Gate.Open();

        Assert.Equal(["", "1"], await Bodies(callers));
    }

    [Fact]
    public async Task NamesAnExcludedHeader_InASecondVaryHeader_CountsToo()
    {
        var upstream = new Upstream(Gate, static sent => Ok(sent.Header("X-Request-Id")!).With("Vary", "Accept").With("Vary", "X-Request-Id"));
        var client = Client(upstream);
        var callers = await Start(2, i => client.SendAsync(Get(null, ("X-Request-Id", "id" + i))));
        Gate.Open();

        Assert.Equal(["id0", "id1"], await Bodies(callers));
    }

    [Fact]
    public async Task NamesAnExcludedHeader_AllHaveTheSameValue_Share()
    {
        var upstream = Varying("X-Request-Id");
        var client = Client(upstream);
        var callers = await Start(client, 5, static () => Get(null, ("X-Request-Id", "same")));
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("same", body));
        Assert.Equal(1, upstream.Calls);
    }

    [Fact]
    public async Task NamesOtherHeaders_ExcludedOnesDiffer_Share()
    {
        var upstream = Varying("Accept");
        var client = Client(upstream);
        var callers = await Start(5, i => client.SendAsync(Get(null, ("X-Request-Id", "id" + i))));
        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("id0", body));
        Assert.Equal(1, upstream.Calls);
    }

    [Fact]
    public async Task CustomExcludedHeader_NamedByVary_IsComparedToo()
    {
        var upstream = new Upstream(Gate, static sent => Ok(sent.Header("X-Trace")!).With("Vary", "X-Trace"));
        var client = Client(upstream, Pipeline(Options(static options => options.ExcludedHeaders.Add("x-trace"))));
        var callers = await Start(2, i => client.SendAsync(Get(null, ("X-Trace", "id" + i))));
        Gate.Open();

        Assert.Equal(["id0", "id1"], await Bodies(callers));
    }
}
