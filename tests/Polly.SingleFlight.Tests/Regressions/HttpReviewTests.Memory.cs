using System.Runtime.CompilerServices;

namespace Polly.SingleFlight.Tests.Regressions;

/// <summary>What is held in memory, and how much of it.</summary>
public sealed class HttpReviewTestsMemory : HttpTest
{
    [Fact]
    public async Task RequestBody_LongerThanItSaid_IsNotBufferedBeyondTheCap()
    {
        using var upstream = new Upstream(_ => Ok("x"));
        var options = PostOptions();
        var content = new WriteOnlyContent(pieces: 256, size: 64 * 1024, length: 16);
        var writtenBeforeSending = -1L;
        var client = Client(upstream, Pipeline(options), inside: new Inside((request, send) =>
        {
            writtenBeforeSending = content.Written;
            return send(request);
        }));

        await Record.ExceptionAsync(() => client.PostAsync(Address, content));

        Assert.InRange(writtenBeforeSending, 0, 3 * options.MaxRequestBodyBytes);
    }

    [Fact]
    public async Task TokenEndpoint_BodyThatIsNotAForm_IsNotTouched()
    {
        var content = new WriteOnlyContent(pieces: 1, size: 16, length: 16);
        var writtenBeforeSending = -1L;
        using var upstream = new Upstream(_ => Ok("x"));
        var client = Client(
            upstream,
            Pipeline(Watched(HttpSingleFlightStrategyOptions.ForTokenEndpoint())),
            inside: new Inside((request, send) =>
            {
                writtenBeforeSending = content.Written;
                return send(request);
            }));

        using var response = await client.PostAsync(Address, content);

        Assert.Equal(0, writtenBeforeSending);
    }

    [Fact]
    public async Task Grpc_OptedInPost_BodyIsNotTouched()
    {
        var content = new WriteOnlyContent(pieces: 1, size: 16, length: 16);
        content.Headers.ContentType = new("application/grpc");
        var writtenBeforeSending = -1L;
        using var upstream = new Upstream(_ => Ok("x"));
        var client = Client(
            upstream,
            Pipeline(PostOptions()),
            inside: new Inside((request, send) =>
            {
                writtenBeforeSending = content.Written;
                return send(request);
            }));

        using var response = await client.PostAsync(Address, content);

        Assert.Equal(0, writtenBeforeSending);
    }

    [Fact]
    public async Task RequestBody_DerivedFromByteArrayContentAndReadableOnce_IsStillThereWhenTheCallerSendsItself()
    {
        using var upstream = new Upstream(Gate, sent =>
        {
            var response = Ok(sent.Text);
            response.Headers.CacheControl = new() { NoStore = true };
            return response;
        });
        var client = Client(upstream, Pipeline(PostOptions()));

        var callers = await Start(2, _ => client.PostAsync(Address, new OnceContent()));
        Gate.Open();
        _ = await Record.ExceptionAsync(() => Task.WhenAll(callers));

        Assert.Equal(["body", "body"], await Bodies(callers));
    }

    [Fact]
    public async Task PartlyReadStream_BeginningWasRead_IsNotKept()
    {
        var (stream, beginning) = Make();
        Assert.Equal(4096, await stream.ReadAsync(new byte[4096]));
        Assert.Equal(0, await stream.ReadAsync(new byte[4096]));

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(beginning.IsAlive);
        await stream.DisposeAsync();
    }

    [Fact]
    public void UnshareableMemory_KeyWhoseHashChanges_StaysBounded()
    {
        var memory = new UnshareableMemory(TimeSpan.FromSeconds(30), Clock);
        var changing = new Changing();
        memory.Add(changing);
        changing.Hash = 1;
        for (var i = 0; i < 10 * UnshareableMemory.Capacity; i++)
        {
            memory.Add(i);
        }

        var remembered = Enumerable.Range(0, 10 * UnshareableMemory.Capacity).Count(key => memory.Contains(key));
        Assert.InRange(remembered, 1, UnshareableMemory.Capacity);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (PartlyReadStream Stream, WeakReference Beginning) Make()
    {
        var beginning = new byte[4096];
        return (new PartlyReadStream(
            beginning, null, Task.FromResult<Stream>(new MemoryStream()), new StringContent(""), new BufferLease(new BufferBudget(0), 0), null, TimeProvider.System), new WeakReference(beginning));
    }

    private sealed class Changing
    {
        public int Hash { get; set; }

        public override int GetHashCode() => Hash;

        public override bool Equals(object? obj) => ReferenceEquals(this, obj);
    }

    private sealed class OnceContent() : ByteArrayContent("body"u8.ToArray())
    {
        private bool _isUsed;

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context, CancellationToken cancellationToken)
        {
            if (_isUsed)
            {
                throw new InvalidOperationException("The content can be read only once.");
            }

            _isUsed = true;
            return stream.WriteAsync("body"u8.ToArray(), 0, 4, cancellationToken);
        }
    }
}
