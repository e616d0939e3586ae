using System.Net;
using System.Net.Http.Headers;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Every caller has a response of its own, and nothing that one does to it reaches another.</summary>
public sealed class IndependenceTests : HttpTest
{
    private Upstream Upstream => field ??= new Upstream(Gate, static _ => Ok("shared").With("X-Value", "original"));

    [Theory]
    [InlineData(HttpCompletionOption.ResponseContentRead)]
    [InlineData(HttpCompletionOption.ResponseHeadersRead)]
    public async Task Response_DisposedByOne_OthersReadOn(HttpCompletionOption completion)
    {
        for (var disposer = 0; disposer < 3; disposer++)
        {
            var gate = new Gate();
            var client = Client(new Upstream(gate, static _ => Ok("shared")));
            var callers = await Start(client, 3, null, completion);
            gate.Open();
            var responses = await Task.WhenAll(callers);

            responses[disposer].Dispose();

            for (var i = 0; i < 3; i++)
            {
                if (i == disposer)
                {
                    await Assert.ThrowsAsync<ObjectDisposedException>(() => responses[i].Content.ReadAsStringAsync());
                }
                else
                {
                    Assert.Equal("shared", await responses[i].Content.ReadAsStringAsync());
                }
            }
        }
    }

    [Fact]
    public async Task Response_ChangedByOne_OthersSeeNothing()
    {
        var client = Client(Upstream);
        var callers = await Start(client, 3);
        Gate.Open();
        var responses = await Task.WhenAll(callers);
        var changed = responses[1];
        changed.StatusCode = HttpStatusCode.Gone;
        changed.ReasonPhrase = "changed";
        changed.Version = new Version(9, 9);
        changed.Headers.Remove("X-Value");
        changed.Headers.Add("X-Value", "changed");
        changed.Content.Headers.ContentType = new MediaTypeHeaderValue("text/changed");
        changed.TrailingHeaders.Add("X-Trailer", "changed");
        changed.RequestMessage = null;
        changed.Content = new StringContent("changed");

        foreach (var response in new[] { responses[0], responses[2] })
        {
            Assert.Equal((HttpStatusCode.OK, "OK"), (response.StatusCode, response.ReasonPhrase));
            Assert.Equal("original", Assert.Single(response.Headers.GetValues("X-Value")));
            Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
            Assert.Empty(response.TrailingHeaders);
            Assert.NotNull(response.RequestMessage);
            Assert.Equal("shared", await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Body_ReadInPartsAndTwice_IsEachCallersOwn()
    {
        var client = Client(Upstream);
        var callers = await Start(client, 3, null, HttpCompletionOption.ResponseHeadersRead);
        Gate.Open();
        var streams = new List<Stream>();
        foreach (var caller in callers)
        {
            streams.Add(await (await caller).Content.ReadAsStreamAsync());
        }

        var buffer = new byte[3];
        foreach (var stream in streams)
        {
            await stream.ReadExactlyAsync(buffer);
            Assert.Equal("sha"u8.ToArray(), buffer);
            Assert.False(stream.CanWrite);
        }

        foreach (var stream in streams)
        {
            await stream.ReadExactlyAsync(buffer);
            Assert.Equal("red"u8.ToArray(), buffer);
            Assert.Equal(0, await stream.ReadAsync(buffer));
        }
    }

    [Fact]
    public async Task Body_BytesOverwrittenByOne_OthersReadTheOriginal()
    {
        var client = Client(Upstream);
        var callers = await Start(client, 3);
        Gate.Open();
        var responses = await Task.WhenAll(callers);
        var bytes = await responses[1].Content.ReadAsByteArrayAsync();
        Array.Clear(bytes);
        if (await responses[2].Content.ReadAsStreamAsync() is MemoryStream memory && memory.TryGetBuffer(out var segment))
        {
            segment.AsSpan().Clear();
        }

        Assert.Equal("shared", await responses[0].Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(HttpCompletionOption.ResponseContentRead)]
    [InlineData(HttpCompletionOption.ResponseHeadersRead)]
    public async Task Body_ReadManyWays_IsTheSame(HttpCompletionOption completion)
    {
        var client = Client(Upstream);
        var callers = await Start(client, 4, null, completion);
        Gate.Open();
        var responses = await Task.WhenAll(callers);
        using var target = new MemoryStream();

        await responses[1].Content.CopyToAsync(target);
        await responses[2].Content.LoadIntoBufferAsync();
        using var reader = new StreamReader(await responses[3].Content.ReadAsStreamAsync());

        Assert.Equal("shared"u8.ToArray(), target.ToArray());
        Assert.Equal("shared", await responses[2].Content.ReadAsStringAsync());
        Assert.Equal("shared", await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task RequestMessage_IsTheCallersOwn_AndTheSentOneNobodys()
    {
        var client = Client(Upstream);
        var requests = Enumerable.Range(0, 4).Select(static _ => Get()).ToArray();
        var callers = await Start(4, i => client.SendAsync(requests[i]));
        Gate.Open();
        var responses = await Task.WhenAll(callers);

        Assert.Equal(requests, responses.Select(static response => response.RequestMessage));
        Assert.DoesNotContain(Assert.Single(Upstream.Requests).Message, requests);
    }

    [Fact]
    public async Task Leader_DisposesBeforeAFollowerReads_FollowersBodyStays()
    {
        var client = Client(Upstream);
        var callers = await Start(client, 2, null, HttpCompletionOption.ResponseHeadersRead);
        Gate.Open();
        (await callers[0]).Dispose();
        client.Dispose();

        Assert.Equal("shared", await Body(callers[1]));
    }
}
