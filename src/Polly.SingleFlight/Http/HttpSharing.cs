using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Http;

/// <summary>
/// Shares HTTP responses. It makes the key from the request, has the flight send a clone of the leader's request, and reads the response of a
/// flight with followers into memory, so that each caller gets its own.
/// </summary>
internal sealed class HttpSharing : ResultSharing
{
    private readonly SingleFlightGroup _group;
    private readonly HttpRealm _realm;
    private readonly HttpRequestReader _reader;
    private readonly HttpRequestKeys _keys;
    private readonly Func<SingleFlightKeyGeneratorArguments, ValueTask<object?>>? _keyGenerator;
    private readonly UnshareableMemory _memory;
    private readonly IdentityGuard _guard;
    private readonly ResponsePreparation _preparation;
    private readonly ResponseCopies _copies;

    /// <summary>1 after the first warning about a request of an added method. Written with <see cref="Interlocked"/>.</summary>
    private int _optedInReported;

    public HttpSharing(HttpSingleFlightStrategyOptions options, SingleFlightGroup group, ResiliencePipelineBuilderBase builder, FlightTelemetry telemetry)
    {
        var clock = builder.TimeProvider ?? TimeProvider.System;
        _group = group;
        _realm = HttpRealm.Of(options, builder);
        _reader = new HttpRequestReader(options);
        _keys = new HttpRequestKeys(options);
        _keyGenerator = options.HasOwnKeyGenerator ? options.KeyGenerator : null;
        _memory = new UnshareableMemory(options.UnshareableDuration, clock);
        _guard = new IdentityGuard(options);
        _preparation = new ResponsePreparation(
            new ResponseRules(options, _guard),
            new ResponseBody(options.MaxResponseBodyBytes, new BufferBudget(options.MaxTotalBufferedBytes), options.MaxBodyWait, clock),
            _guard);
        _copies = new ResponseCopies(options.ShouldShare, _memory, telemetry);
    }

    public override object Realm => _realm;

    public override bool MakesCopies => true;

    public override bool FindsKeys => true;

    public override bool Prepares => true;

    public override ValueTask<KeyDecision> FindKeyAsync<TResult>(ResilienceContext context)
    {
        // A response of a derived type cannot be copied.
        if (typeof(TResult) != typeof(HttpResponseMessage))
        {
            return new(KeyDecision.Alone(BypassReason.NoKey));
        }

        if (!context.Properties.TryGetValue(ResilienceHttp.Request, out var request) || request is null)
        {
            return new(KeyDecision.Alone(BypassReason.NoKey));
        }

        var read = _reader.ReadAsync(request, context.CancellationToken);
        return _keyGenerator is null && read.IsCompletedSuccessfully ? new(Decide(read.Result, context)) : DecideAsync(read, context);
    }

    public override void PrepareContext(Attachment? leader, ResilienceContext context)
    {
        if (leader is not HttpCall call)
        {
            return;
        }

        var request = call.CreateRequest();
        request.Options.TryGetValue(SendingObserver.Option, out var outer);
        var observer = new SendingObserver(_guard, call, outer);
        request.Options.Set(SendingObserver.Option, observer.Observe);
        call.Exchange = new HttpExchange(request, observer);
        context.Properties.Set(ResilienceHttp.Request, request);
        request.Options.Set(ResilienceHttp.Context, context);
    }

    public override ValueTask<Outcome<TResult>> PrepareAsync<TResult>(
        Attachment? leader, Outcome<TResult> outcome, CancellationToken cancellationToken) => _preparation.PrepareAsync(leader, outcome, cancellationToken);

    public override void ReceiveOriginal<TResult>(Attachment? leader, in Outcome<TResult> outcome) =>
        ResponsePreparation.ReceiveOriginal(leader, outcome);

    public override ValueTask<SharingDecision> DecideAsync<TResult>(
        Attachment? leader, object key, ResilienceContext context, Outcome<TResult> outcome, bool? isShared) =>
        _copies.DecideAsync(leader, key, context, outcome);

    public override ValueTask<FollowerCopy<TResult>> CopyAsync<TResult>(
        Attachment? leader, Attachment? follower, ResilienceContext context, TResult original) => ResponseCopies.Copy<TResult>(leader, follower);

    public override void ReceiveCopy<TResult>(Attachment? leader, Attachment? follower, TResult copy) =>
        ResponseCopies.Receive(leader, follower, copy);

    public override void OnNoCopyReceived(Attachment? leader, object key, ResilienceContext context) =>
        _copies.OnNoneReceived(leader, key, context);

    public override IDisposable? BeginAlone(ResilienceContext context) =>
        context.Properties.TryGetValue(ResilienceHttp.Request, out var request) && request is not null ? UriWrite.Begin(request, _group) : null;

    /// <summary>
    /// An <see cref="ObjectDisposedException"/>, also as an inner one, may come from the leader's client, which a retry inside the flight
    /// used after the leader had left and disposed it.
    /// </summary>
    public override bool MayBeCausedByLeave(Exception exception)
    {
        for (var link = exception; link is not null; link = link.InnerException)
        {
            if (link is ObjectDisposedException)
            {
                return true;
            }
        }

        return false;
    }

    private async ValueTask<KeyDecision> DecideAsync(ValueTask<HttpReadResult> pending, ResilienceContext context)
    {
        var read = await pending.ConfigureAwait(context.ContinueOnCapturedContext);
        if (read.Call is not { } call || _keyGenerator is null || call.Request.GetSingleFlightKey() is not null)
        {
            return Decide(read, context);
        }

        call.HasCustomKey = true;
        return Decide(
            call, await _keyGenerator(new SingleFlightKeyGeneratorArguments(context)).ConfigureAwait(context.ContinueOnCapturedContext));
    }

    private KeyDecision Decide(HttpReadResult read, ResilienceContext context)
    {
        if (read.Call is not { } call)
        {
            return KeyDecision.Alone(read.Bypass, IsFirstOfOptedInMethod(read.Bypass, context));
        }

        var own = call.Request.GetSingleFlightKey();
        call.HasCustomKey = own is not null;
        return Decide(call, own ?? _keys.Create(call));
    }

    private KeyDecision Decide(HttpCall call, object? key) =>
        key is not (null or "") && _memory.Contains(key)
            ? KeyDecision.Alone(BypassReason.Remembered)
            : KeyDecision.Coalesce(key, call);

    /// <summary>
    /// Whether this is the first request that runs alone although the options add its method to the coalesced ones. Requests that run alone
    /// on purpose do not count: those that opted out, and other grants at a token endpoint.
    /// </summary>
    private bool IsFirstOfOptedInMethod(BypassReason reason, ResilienceContext context) =>
        reason is not (BypassReason.OptedOut or BypassReason.NotClientCredentials)
        && _optedInReported == 0
        && context.Properties.TryGetValue(ResilienceHttp.Request, out var request)
        && request is not null
        && _reader.IsOptedIn(request.Method)
        && Interlocked.Exchange(ref _optedInReported, 1) == 0;
}
