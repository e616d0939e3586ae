using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Tests.Execution;

/// <summary>How followers are served with what the sharing code answers. The leader is caller 0, the followers are numbered from 1.</summary>
public sealed class FollowerServiceTests : FlightTest
{
    private readonly Gate _end = new();
    private readonly Answers _answers = new();

    /// <summary>What the callbacks wait for.</summary>
    private Task _ended;

    public FollowerServiceTests() => _ended = _end.Opened;

    [Fact]
    public async Task Copies_EarlierFollowersCopyIsPending_LaterFollowerIsReleased()
    {
        var pending = new Gate();
        _answers.Copy = async number =>
        {
            await (number == 1 ? pending.Opened : Task.CompletedTask);
            return new(new Copy(number));
        };
        var callers = await Callers(3);
        _end.Open();

        Assert.Equal(2, (await callers[2]).Number);
        Assert.False(callers[0].IsCompleted);
        Assert.False(callers[1].IsCompleted);
        pending.Open();
        Assert.Equal(1, (await callers[1]).Number);
        Assert.Equal(0, (await callers[0]).Number);
    }

    [Theory]
    [InlineData(nameof(SharingKind.Same))]
    [InlineData(nameof(SharingKind.Copies))]
    [InlineData(nameof(SharingKind.Alone))]
    [InlineData(nameof(SharingKind.Elect))]
    public async Task Serve_FollowerLeftDuringTheDecision_IsSkipped(string kind)
    {
        var (asked, decide) = (new Gate(), new Gate());
        _answers.Decide = async () =>
        {
            asked.Open();
            await decide.Opened;
            return new(Enum.Parse<SharingKind>(kind));
        };
        using var source = new CancellationTokenSource();
        var callers = await Callers(3, source.Token);
        _end.Open();
        await asked.Opened.Soon();
        await source.CancelAsync();
        await IsCanceledBy(callers[1], source.Token);
        decide.Open();

        var served = await callers[2];
        Assert.Equal(0, (await callers[0]).Number);
        Assert.Equal(kind == nameof(SharingKind.Same) ? 0 : 2, served.Number);
        Assert.Equal(kind is nameof(SharingKind.Alone) or nameof(SharingKind.Elect) ? [0, 2] : [0], _answers.Ran.Order());
        Assert.Equal(kind == nameof(SharingKind.Copies) ? [2] : [], _answers.Copied);
    }

    [Fact]
    public async Task Copies_FollowerLeavesMeanwhile_CopyIsDisposedAndNotAssigned()
    {
        var (copying, finish) = (new Gate(), new Gate());
        Copy? copy = null;
        _answers.Copy = async number =>
        {
            copying.Open();
            await finish.Opened;
            return new(copy = new Copy(number));
        };
        using var source = new CancellationTokenSource();
        var callers = await Callers(2, source.Token);
        _end.Open();
        await copying.Opened.Soon();
        await source.CancelAsync();
        await IsCanceledBy(callers[1], source.Token);
        finish.Open();

        await callers[0];
        Assert.Equal(1, copy!.Disposals);
        Assert.Equal([0], _answers.Received);
    }

    [Fact]
    public async Task Copies_AreAssignedToTheirFollowersBeforeTheLeaderGetsTheOriginal()
    {
        var callers = await Callers(3);
        _end.Open();

        var received = await Task.WhenAll(callers);
        Assert.Equal([0, 1, 2], received.Select(copy => copy.Number));
        Assert.Equal([1, 2, 0], _answers.Received);
        Assert.All(received, copy => Assert.Equal(0, copy.Disposals));
    }

    [Fact]
    public async Task Copies_OneIsPending_LeaderDoesNotGetTheOriginalYet()
    {
        var pending = new Gate();
        _answers.Copy = async number =>
        {
            await pending.Opened;
            return new(new Copy(number));
        };
        var end = new TaskCompletionSource(TaskCreationOptions.None);
        _ended = end.Task;
        var callers = await Task.Run(() => Callers(2));

        // All that does not have to wait for the copy is done inside this call.
        await SyncCall.Start(() =>
        {
            end.SetResult();
            return true;
        });
        Assert.Empty(_answers.Received);
        pending.Open();

        await Task.WhenAll(callers);
        Assert.Equal([1, 0], _answers.Received);
    }

    [Fact]
    public async Task ReceiveCopy_Throws_FollowerGetsTheExceptionAndItsCopyIsDisposed()
    {
        var copies = new List<Copy>();
        _answers.Copy = number =>
        {
            copies.Add(new Copy(number));
            return new(new FollowerCopy<Copy>(copies[^1]));
        };
        _answers.Assign = number => Assert.True(number != 1, "refused");
        var callers = await Callers(3);
        _end.Open();

        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => callers[1]);
        Assert.Equal(2, (await callers[2]).Number);
        await callers[0];
        Assert.Equal([1, 0], copies.Select(copy => copy.Disposals));
    }

    [Fact]
    public async Task Decide_Throws_FollowersRunAlone()
    {
        _answers.Decide = () => throw new FormatException();
        var callers = await Callers(3);
        _end.Open();

        Assert.Equal([0, 1, 2], (await Task.WhenAll(callers)).Select(copy => copy.Number));
        Assert.Equal([0, 1, 2], _answers.Ran.Order());
        Assert.Equal([BypassReason.Unshared, BypassReason.Unshared], Reasons);
    }

    [Theory]
    [InlineData(2, 0, true)]
    [InlineData(1, 1, false)]
    [InlineData(0, 2, false)]
    public async Task Copies_SomeFollowersHaveNone_IsToldOnlyIfNoOtherReceivedOne(int alone, int copied, bool isTold)
    {
        _answers.Copy = number => new(number <= alone ? FollowerCopy<Copy>.None(BypassReason.Limit) : new FollowerCopy<Copy>(new Copy(number)));
        var callers = await Callers(1 + alone + copied);
        _end.Open();

        Assert.Equal([0, 1, 2], (await Task.WhenAll(callers)).Select(copy => copy.Number));
        Assert.Equal(Enumerable.Range(0, 1 + alone), _answers.Ran.Order());
        Assert.Equal(Enumerable.Repeat(BypassReason.Limit, alone), Reasons);
        Assert.Equal(isTold ? 1 : 0, _answers.NoCopyReceived);
    }

    /// <summary>Callers of one flight, which have joined it. The token is that of the first follower.</summary>
    private async Task<Task<Copy>[]> Callers(int count, CancellationToken token = default)
    {
        var pipeline = Build(Watched(new Options(_answers)));
        var callers = Enumerable.Range(0, count).Select(number => Call(pipeline, "key", async _ =>
        {
            lock (_answers.Ran)
            {
                _answers.Ran.Add(number);
            }

            await _ended.ConfigureAwait(false);
            return new Copy(number);
        }, number == 1 ? token : default)).ToArray();
        await Probe.Reached(Joined, count - 1);
        return callers;
    }

    private sealed class Copy(int number) : IDisposable
    {
        public int Number => number;

        public int Disposals { get; private set; }

        public void Dispose() => Disposals++;
    }

    private sealed class Numbered(int number) : Attachment
    {
        public int Number => number;
    }

    private sealed class Options(Answers answers) : SingleFlightStrategyOptions<Copy>
    {
        internal override ResultSharing CreateSharing(SingleFlightGroup group, ResiliencePipelineBuilderBase builder, FlightTelemetry telemetry) =>
            new NumberedSharing(answers);
    }

    private sealed class Answers
    {
        public Func<ValueTask<SharingDecision>> Decide { get; set; } = () => new(new SharingDecision(SharingKind.Copies));

        public Func<int, ValueTask<FollowerCopy<Copy>>> Copy { get; set; } = number => new(new FollowerCopy<Copy>(new Copy(number)));

        public Action<int> Assign { get; set; } = _ => { };

        /// <summary>Whose callbacks ran.</summary>
        public List<int> Ran { get; } = [];

        public List<int> Copied { get; } = [];

        public List<int> Received { get; } = [];

        public int NoCopyReceived { get; set; }
    }

    /// <summary>Gives the callers numbers, and the answers of the test.</summary>
    private sealed class NumberedSharing(Answers answers) : ResultSharing
    {
        private int _callers;

        public override object Realm => answers;

        public override bool MakesCopies => true;

        public override bool FindsKeys => true;

        public override ValueTask<KeyDecision> FindKeyAsync<TResult>(ResilienceContext context) =>
            new(KeyDecision.Coalesce("key", new Numbered(_callers++)));

        public override ValueTask<SharingDecision> DecideAsync<TResult>(
            Attachment? leader, object key, ResilienceContext context, Outcome<TResult> outcome, bool? isShared) => answers.Decide();

        public override async ValueTask<FollowerCopy<TResult>> CopyAsync<TResult>(
            Attachment? leader, Attachment? follower, ResilienceContext context, TResult original)
        {
            answers.Copied.Add(NumberOf(follower));
            return (FollowerCopy<TResult>)(object)await answers.Copy(NumberOf(follower));
        }

        public override void ReceiveCopy<TResult>(Attachment? leader, Attachment? follower, TResult copy)
        {
            answers.Assign(NumberOf(follower));
            answers.Received.Add(NumberOf(follower));
        }

        public override void ReceiveOriginal<TResult>(Attachment? leader, in Outcome<TResult> outcome) => answers.Received.Add(NumberOf(leader));

        public override void OnNoCopyReceived(Attachment? leader, object key, ResilienceContext context) => answers.NoCopyReceived++;

        private static int NumberOf(Attachment? caller) => ((Numbered)caller!).Number;
    }
}
