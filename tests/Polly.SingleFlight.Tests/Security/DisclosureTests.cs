using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Polly.SingleFlight.Tests.Flights;
using Polly.Telemetry;

namespace Polly.SingleFlight.Tests.Security;

/// <summary>Telemetry, keys and snapshots reveal nothing of a request or a response. Listeners see the whole process, so these run alone.</summary>
[Collection(nameof(WholeThreadPool))]
public sealed class DisclosureTests : HttpTest
{
    private const string Secret = "5ecret";
    private const string Name = "Polly.SingleFlight";

    private readonly ConcurrentQueue<string> _seen = new();

    [Fact]
    public async Task Telemetry_OfEveryEvent_HoldsNoSecretUrlOrKey()
    {
        using var meter = ListenToMeter();
        using var activities = ListenToActivities();
        using var outer = new Activity("outer").Start();
        var upstream = new Upstream(Gate, static sent =>
        {
            var response = Ok(Secret + " body").With("X-" + Secret, Secret).With("ETag", $"\"{Secret}\"");
            return sent.Uri.Query.Contains("unshared", StringComparison.Ordinal) ? response.With("Set-Cookie", Secret) : response;
        });
        var listener = new Recording(_seen);
        var client = Client(upstream, Pipeline(PostOptions(), listener: listener), inside: new AddingHeader("X-Api-Key", static request => request.User()));

        var shared = await Start(client, 3, static () => Post(Secret, Uri("shared")).With("Authorization", "Bearer " + Secret));
        var unshared = await Start(client, 3, static () => Get(Uri("unshared"), ("Cookie", Secret)));
        var guarded = await Start(client, 3, static () => Get(Uri("guarded")).By(Secret));
        var keyed = await Start(client, 2, static () =>
        {
            var request = Get(Uri("keyed"));
            request.SetSingleFlightKey(Secret);
            return request;
        });
        using var source = new CancellationTokenSource();
        var abandoned = await Start(2, _ => client.SendAsync(Get(Uri("abandoned")), source.Token));
        var bypassed = client.SendAsync(Get(Uri("bypassed"), ("Cache-Control", "no-store")));
        await source.CancelAsync();
        foreach (var caller in abandoned)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        }

        Gate.Open();
        await Bodies([.. shared, .. unshared, .. guarded, .. keyed, bypassed]);

        Assert.All(
            ["OnFlightStarted", "OnFlightJoined", "OnFlightCompleted", "OnFlightAbandoned", "OnFlightBypassed", "OnIdentityGuard"],
            name => Assert.Contains(_seen, text => text.Contains(name, StringComparison.Ordinal)));
        Assert.Contains(_seen, static text => text.StartsWith("meter ", StringComparison.Ordinal));
        Assert.Contains(_seen, static text => text.StartsWith("activity ", StringComparison.Ordinal));
        Assert.DoesNotContain(_seen, static text => text.Contains(Secret, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(_seen, static text => text.Contains("upstream.test", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task KeysAndSnapshots_OfAnActiveFlight_RevealNothing()
    {
        var upstream = new Upstream(Gate, static _ => Ok("x"));
        var client = Client(upstream, Pipeline(PostOptions()));
        var callers = await Start(client, 2, static () => Post(Secret, Uri("q")).With("Authorization", "Bearer " + Secret));

        var snapshot = Assert.Single(Group.GetFlights());

        Assert.Equal((typeof(HttpResponseMessage), 2), (snapshot.ResultType, snapshot.CallerCount));
        Assert.All([snapshot.ToString(), snapshot.Key.ToString()], static text =>
        {
            Assert.DoesNotContain(Secret, text!, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("upstream", text!, StringComparison.OrdinalIgnoreCase);
        });
        Gate.Open();
        await Bodies(callers);
    }

    [Fact]
    public async Task GeneratedKey_ItsPublicShape_HoldsNoTextOfTheRequest()
    {
        using var request = Post(Secret, Uri("q")).With("Authorization", "Bearer " + Secret);
        var key = await Http.KeyPropertyTests.Key(PostOptions(), request);

        Assert.NotNull(key);
        var json = System.Text.Json.JsonSerializer.Serialize(key, key.GetType());
        Assert.All([key.ToString()!, json], static text => Assert.DoesNotContain(Secret, text, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Exceptions_OfTheStrategy_QuoteNoSecret()
    {
        var upstream = new Upstream(Gate, static _ => Ok(new PieceContent(Cut())));
        var client = Client(upstream);
        var callers = await Start(client, 2, static () => Get(Uri("q"), ("Authorization", "Bearer " + Secret)));
        Gate.Open();

        foreach (var caller in callers)
        {
            var exception = await Assert.ThrowsAsync<HttpRequestException>(() => caller);
            Assert.DoesNotContain(Secret, exception.ToString(), StringComparison.OrdinalIgnoreCase);
        }
    }

    private static IEnumerable<PieceContent.Piece> Cut()
    {
        yield return new([1]);
        throw new IOException("cut");
    }

    private static Uri Uri(string query) => new(Address, $"?{Secret}={query}");

    private MeterListener ListenToMeter()
    {
        var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == Name)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record("meter", instrument.Name, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record("meter", instrument.Name, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record("meter", instrument.Name, tags));
        listener.Start();
        return listener;
    }

    private ActivityListener ListenToActivities()
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == Name,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                Record("activity", $"{activity.DisplayName} {activity.OperationName} {activity.StatusDescription}", activity.TagObjects.ToArray());
                Record("activity", string.Join(' ', activity.Baggage), [.. activity.Links.SelectMany(static link => link.Tags ?? [])]);
                Record("activity", string.Join(' ', activity.Events.Select(static e => e.Name)), [.. activity.Events.SelectMany(static e => e.Tags)]);
            },
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private void Record(string kind, string name, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        _seen.Enqueue($"{kind} {name} {string.Join(' ', tags.ToArray().Select(static tag => $"{tag.Key}={tag.Value}"))}");

    private sealed class Recording(ConcurrentQueue<string> seen) : TelemetryListener
    {
        public override void Write<TResult, TArgs>(in TelemetryEventArguments<TResult, TArgs> args)
        {
            // PipelineExecuted is Polly's own and comes with the outcome of the whole pipeline.
            if (args.Event.EventName is "PipelineExecuting" or "PipelineExecuted")
            {
                return;
            }

            Assert.Null(args.Outcome);
            var members = typeof(TArgs).GetProperties().Where(static property => property.Name != "Context" && property.GetIndexParameters().Length == 0);
            var arguments = args.Arguments;
            seen.Enqueue($"event {args.Event.EventName} {args.Source} {arguments} {string.Join(' ', members.Select(member => $"{member.Name}={member.GetValue(arguments)}"))}");
        }
    }
}
