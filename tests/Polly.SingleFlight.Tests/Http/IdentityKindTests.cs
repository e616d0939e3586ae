using System.Net.Http.Headers;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>
/// Whatever a handler inside sends that the caller's request had not may say who the leader is, by whatever means it does so; and what is
/// known to say nothing is shared.
/// </summary>
public sealed class IdentityKindTests : HttpTest
{
    private readonly RecordingListener _listener = new();

    /// <summary>What a handler does to a request for one user, and what of it is named.</summary>
    private static readonly Dictionary<string, (Action<HttpRequestMessage, string> Change, string Named)> s_kinds = new()
    {
        ["tenant header"] = (static (request, user) => request.With("X-Tenant", user), "the header X-Tenant"),
        ["any header"] = (static (request, user) => request.With("X-9f3a", user), "the header X-9f3a"),
        ["language"] = (static (request, user) => request.With("Accept-Language", user), "the header Accept-Language"),
        ["changed header"] = (static (request, user) => Replace(request, "X-Common", user), "the header X-Common"),
        ["further value"] = (static (request, user) => request.With("X-Common", user), "the header X-Common"),
        ["space inside a value"] = (static (request, _) => Replace(request, "X-List", "a,b  c"), "the header X-List"),
        ["space in quotes"] = (static (request, _) => Replace(request, "X-Quoted", "\"a,b\""), "the header X-Quoted"),
        ["other case"] = (static (request, user) => Replace(request, "x-common", user), "the header x-common"),
        ["idempotency key"] = (static (request, user) => request.With("Idempotency-Key", user), "the header Idempotency-Key"),
        ["foreign Host header"] = (static (request, user) => request.Headers.Host = user + ".test", "the header Host"),
        ["other host"] = (static (request, user) => Readdress(request, builder => builder.Host = user + ".test"), "another host, scheme or port"),
        ["other port"] = (static (request, user) => Readdress(request, builder => builder.Port = 1000 + user.Length), "another host, scheme or port"),
        ["other scheme"] = (static (request, user) => Readdress(request, builder => builder.Scheme = "https"), "another host, scheme or port"),
        ["user in the URI"] = (static (request, user) => Readdress(request, builder => builder.UserName = user), "another host, scheme or port"),
        ["other path"] = (static (request, user) => Readdress(request, builder => builder.Path += "/" + user), "another path or query"),
        ["other query"] = (static (request, user) => Readdress(request, builder => builder.Query = user), "another path or query"),
        ["other method"] = (static (request, user) => request.Method = new HttpMethod("X" + user), "another method"),
        ["other body"] = (static (request, user) => request.Content = new StringContent(user), "another body"),
        ["content header"] = (static (request, user) => request.Content!.Headers.Add("Content-Language", user), "the header Content-Language"),
    };

    private static readonly Dictionary<string, Action<HttpRequestMessage>> s_harmless = new()
    {
        ["trace"] = static request => request.With("traceparent", Guid.NewGuid().ToString()).With("baggage", "a=b"),
        ["B3"] = static request => request.With("X-B3-TraceId", Guid.NewGuid().ToString()).With("b3", "0"),
        ["Accept-Encoding"] = static request => request.With("Accept-Encoding", "gzip"),
        ["User-Agent"] = static request => request.With("User-Agent", "agent/" + Guid.NewGuid()),
        ["Connection"] = static request => request.Headers.ConnectionClose = true,
        ["Host of the URI"] = static request => request.Headers.Host = request.RequestUri!.Authority,
        ["removed header"] = static request => request.Headers.Remove("X-Common"),
        ["same value again"] = static request => Replace(request, "X-Common", "common"),
        ["spaces"] = static request => Replace(request, "X-List", " a,  b c\t"),
        ["spaces of parameters"] = static request => Replace(request, "X-Quality", "text/html; q=0.9 ,text/plain"),
        ["several values"] = static request => Replace(request, "X-List", "a", "b c"),
        ["fragment"] = static request => Readdress(request, static builder => builder.Fragment = "top"),
        ["same URI anew"] = static request => request.RequestUri = new Uri(request.RequestUri!.AbsoluteUri),
        ["named harmless"] = static request => request.With("X-Node", Guid.NewGuid().ToString()),
        ["excluded"] = static request => request.With("X-Trace", Guid.NewGuid().ToString()),
        ["version"] = static request => request.Version = new Version(2, 0),
    };

    public static TheoryData<string, bool> Kinds => Cross(s_kinds.Keys);

    public static TheoryData<string, bool> Harmless => Cross(s_harmless.Keys);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task InnerHandler_SendsWhatTheCallerHadNot_EverybodyGetsItsOwnAnswerAndItIsNamedOnce(string kind, bool isObserved)
    {
        var upstream = new Upstream(Gate, static sent => Ok("answer " + sent.Number));
        var client = Client(upstream, Pipeline(PostOptions(), listener: _listener), inside: Inside(
            request => s_kinds[kind].Change(request, request.User()!), isObserved));
        string[] users = ["alice", "bobby", "caroline", "alice"];
        var callers = await Start(4, i => client.SendAsync(Request().By(users[i])));

        Gate.Open();

        Assert.Equal(["answer 1", "answer 2", "answer 3", "answer 4"], (await Bodies(callers)).Order(StringComparer.Ordinal));
        var report = Assert.Single(_listener.Reports, static report => report.Name == "OnIdentityGuard");
        Assert.Equal(s_kinds[kind].Named, report.Arguments);
        Assert.All(_listener.Reports, report => Assert.All(users, user => Assert.DoesNotContain(user, report.Arguments ?? "", StringComparison.Ordinal)));
    }

    /// <summary>What a handler sends in place of one request; the response to the last message is the one that comes back.</summary>
    private static readonly Dictionary<string, Func<HttpRequestMessage, HttpRequestMessage[]>> s_sequences = new()
    {
        ["the request, then a new message to a host of the user"] = static request =>
            [request, new(request.Method, $"http://{request.User()}.test/resource")],
        ["the request, then a new message with a header of the user"] = static request =>
            [request, Get().With("X-Tenant", request.User()!)],
        ["a copy with a header of the user, then one without"] = static request =>
            [Copy(request).With("X-Tenant", request.User()!), Copy(request)],
        ["a copy with a header of the user, then the request"] = static request =>
            [Copy(request).With("X-Tenant", request.User()!), request],
    };

    public static TheoryData<string, bool> Sequences => Cross(s_sequences.Keys);

    [Theory]
    [MemberData(nameof(Sequences))]
    public async Task InnerHandler_SendsSeveralMessages_WhatAnyOfThemAddsCounts(string sequence, bool isObserved)
    {
        var upstream = new Upstream(Gate, static sent => Ok("answer " + sent.Number));
        var client = Client(upstream, Pipeline(listener: _listener), inside:
            [new Sending(s_sequences[sequence]), .. isObserved ? [new ShowsSending()] : Array.Empty<DelegatingHandler>()]);
        string[] users = ["alice", "bobby"];
        var callers = await Start(2, i => client.SendAsync(Get().By(users[i])));

        Gate.Open();

        var bodies = await Bodies(callers);
        if (isObserved || !sequence.StartsWith("a copy", StringComparison.Ordinal))
        {
            Assert.Equal(2, bodies.Distinct().Count());
            Assert.Equal(1, _listener.Count("OnIdentityGuard"));
        }
        else
        {
            // Nobody sees what a message that is neither the request nor the response's has gone out with.
            Assert.Single(bodies.Distinct());
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task GuardCredentials_Off_WhatIsNoCredentialStillCounts(string kind, bool isObserved)
    {
        var upstream = new Upstream(Gate, static sent => Ok("answer " + sent.Number));
        var options = PostOptions();
        options.GuardCredentials = false;
        var client = Client(upstream, Pipeline(options, listener: _listener), inside: Inside(
            request => s_kinds[kind].Change(request.With("Authorization", "Bearer service"), request.User()!), isObserved));
        string[] users = ["alice", "bobby"];
        var callers = await Start(2, i => client.SendAsync(Request().By(users[i])));

        Gate.Open();

        Assert.Equal(["answer 1", "answer 2"], (await Bodies(callers)).Order(StringComparer.Ordinal));
        var report = Assert.Single(_listener.Reports, static report => report.Name == "OnIdentityGuard");
        Assert.Equal(s_kinds[kind].Named, report.Arguments);
    }

    [Theory]
    [MemberData(nameof(Harmless))]
    public async Task InnerHandler_SendsWhatSaysNothing_IsShared(string kind, bool isObserved)
    {
        var upstream = new Upstream(Gate, static sent => Ok("answer " + sent.Number));
        var options = PostOptions();
        options.HarmlessHeaders.Add("x-node");
        options.ExcludedHeaders.Add("X-Trace");
        var client = Client(upstream, Pipeline(options, listener: _listener), inside: Inside(request => s_harmless[kind](request), isObserved));
        var callers = await Start(client, 4, Request);

        Gate.Open();

        Assert.All(await Bodies(callers), static body => Assert.Equal("answer 1", body));
        Assert.Equal(0, _listener.Count("OnIdentityGuard"));
    }

    [Theory]
    [InlineData("Host", true)]
    [InlineData("X-Other", false)]
    public async Task HarmlessHeaders_NamesHost_AnyOtherHostIsShared(string name, bool isShared)
    {
        var upstream = new Upstream(Gate, static sent => Ok("answer " + sent.Number));
        var client = Client(upstream, Pipeline(Options(options => options.HarmlessHeaders.Add(name))), inside: Inside(
            static request =>
            {
                Readdress(request, static builder => builder.Host = "other.test");
                request.Headers.Host = "third.test";
            },
            isObserved: true));
        var callers = await Start(client, 3);
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(isShared ? 1 : 3, upstream.Calls);
    }

    [Theory]
    [InlineData("Authorization")]
    [InlineData("Cookie")]
    [InlineData("x-api-key")]
    public async Task HarmlessHeaders_NamesCredentials_AreGuardedAllTheSame(string name)
    {
        var upstream = new Upstream(Gate, sent => Ok(sent.Header(name)!));
        var client = Client(
            upstream,
            Pipeline(Options(options => options.HarmlessHeaders.Add(name))),
            inside: new AddingHeader(name, static request => request.User()));
        string[] users = ["alice", "bob"];
        var callers = await Start(2, i => client.SendAsync(Get().By(users[i])));
        Gate.Open();

        Assert.Equal(users, await Bodies(callers));
    }

    [Theory]
    [InlineData(null, "Bearer bob")]
    [InlineData("Bearer alice", null)]
    [InlineData("Bearer alice", "Bearer bob")]
    public async Task ExcludedCredentials_CallersDifferInThem_EachGetsItsOwnAnswer(string? leader, string? follower)
    {
        var upstream = new Upstream(Gate, static sent => Ok("answer to " + sent.Header("Authorization")));
        var client = Client(upstream, Pipeline(Options(static options => options.ExcludedHeaders.Add("Authorization"))));
        string?[] credentials = [leader, follower];
        var callers = await Start(2, i => client.SendAsync(credentials[i] is { } value ? Get().With("Authorization", value) : Get()));
        Gate.Open();

        Assert.Equal(credentials.Select(static value => "answer to " + value), await Bodies(callers));
    }

    [Fact]
    public async Task Groups_PipelinesThatDifferInHarmlessHeaders_DoNotMeet()
    {
        var upstream = new Upstream(Gate, static _ => Ok("x"));
        var one = Client(upstream, disposeHandler: false);
        var other = Client(upstream, Pipeline(Options(static options => options.HarmlessHeaders.Add("X-Tenant"))));
        var callers = await StartApart(2, i => (i == 0 ? one : other).SendAsync(Get()));
        Gate.Open();
        await Bodies(callers);

        Assert.Equal(2, upstream.Calls);
    }

    private static HttpRequestMessage Request() => Post("body")
        .With("X-Common", "common").With("X-List", "a, b c").With("X-Quoted", "\"a, b\"").With("X-Quality", "text/html;q=0.9, text/plain");

    private static DelegatingHandler[] Inside(Action<HttpRequestMessage> change, bool isObserved) =>
        isObserved ? [new Changing(change), new ShowsSending()] : [new Changing(change)];

    private static void Replace(HttpRequestMessage request, string name, params string[] values)
    {
        request.Headers.Remove(name);
        request.Headers.TryAddWithoutValidation(name, values);
    }

    private static void Readdress(HttpRequestMessage request, Action<UriBuilder> change)
    {
        var builder = new UriBuilder(request.RequestUri!);
        change(builder);
        request.RequestUri = builder.Uri;
    }

    private static TheoryData<string, bool> Cross(IEnumerable<string> kinds)
    {
        var data = new TheoryData<string, bool>();
        foreach (var kind in kinds)
        {
            data.Add(kind, false);
            data.Add(kind, true);
        }

        return data;
    }

    private static HttpRequestMessage Copy(HttpRequestMessage request)
    {
        var copy = new HttpRequestMessage(request.Method, request.RequestUri);
        foreach (var (name, value) in request.Options)
        {
            ((IDictionary<string, object?>)copy.Options)[name] = value;
        }

        return copy;
    }

    private sealed class Sending(Func<HttpRequestMessage, HttpRequestMessage[]> sequence) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            HttpResponseMessage? last = null;
            foreach (var message in sequence(request))
            {
                last?.Dispose();
                last = await base.SendAsync(message, cancellationToken);
            }

            return last!;
        }
    }

    private sealed class Changing(Action<HttpRequestMessage> change) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            change(request);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
