using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Sharing;

namespace Polly.SingleFlight.Http;

/// <summary>The way back: what becomes of a response.</summary>
internal sealed partial class HttpSharing
{
    private readonly IdentityGuard _guard;
    private readonly ResponseRules _rules;
    private readonly ResponseBody _body;
    private readonly Func<ShouldSharePredicateArguments<HttpResponseMessage>, ValueTask<bool>>? _shouldShare;
    private int _guardReported;

    public override async ValueTask<Outcome<TResult>> PrepareAsync<TResult>(
        Flight<TResult> flight, ResilienceContext context, Outcome<TResult> outcome)
    {
        if (flight.Attachment is not HttpCall { Exchange: { } exchange } call || outcome.Result is not HttpResponseMessage response)
        {
            return outcome;
        }

        try
        {
            exchange.Unshareable = _rules.Judge(call, exchange, response);
            if (exchange.Unshareable == Unshareable.None)
            {
                await ReadAsync(call, exchange, response, flight.Token).ConfigureAwait(false);
            }

            return outcome;
        }
        catch (Exception exception)
        {
            response.Dispose();
            return Outcome.FromException<TResult>(Incomplete(exception));
        }
    }

    public override async ValueTask DistributeAsync<TResult>(
        Flight<TResult> flight, Waiter<TResult> followers, Outcome<TResult> outcome, ResilienceContext context, long now)
    {
        var call = flight.Attachment as HttpCall;
        var exchange = call?.Exchange;
        var reason = await JudgeAsync(flight, exchange, context, outcome).ConfigureAwait(false);
        if (reason != Unshareable.None)
        {
            SendAway(flight, followers, reason, outcome, context);
        }
        else if (exchange?.Snapshot is { } snapshot)
        {
            Deliver(flight, followers, snapshot, context, now);
        }
        else
        {
            // An exception, or no response at all.
            OutcomeDistribution.Publish(followers, outcome, now);
        }
    }

    public override void Receive<TResult>(Flight<TResult> flight, in Outcome<TResult> outcome)
    {
        if (outcome.Result is HttpResponseMessage response && flight.Attachment is HttpCall call)
        {
            call.Exchange?.Observer.Pass(response.RequestMessage);
            FinalRequest.Of(call, response)?.ApplyTo(call.Request);
            response.RequestMessage = call.Request;
        }
    }

    /// <summary>
    /// What readers of a cut body get from <see cref="HttpClient"/>; a handler sees the raw exception of the stream.
    /// </summary>
    private static Exception Incomplete(Exception exception) => exception is IOException or ObjectDisposedException
        ? new HttpRequestException(
            (exception as HttpIOException)?.HttpRequestError ?? HttpRequestError.Unknown,
            "The body of the response ended before it was complete.",
            exception)
        : exception;

    private async ValueTask ReadAsync(HttpCall call, HttpExchange exchange, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var content = response.Content;
        var lengths = ResponseRules.IsWithoutBody(exchange.Request.Method, response.StatusCode) ? default : ContentLengths.Of(content);
        var announced = lengths.Announced;
        var reading = await _body.ReadAsync(content, lengths, cancellationToken).ConfigureAwait(false);
        if (reading.Rest is { } rest)
        {
            exchange.Unshareable = reading.Unshareable;
            response.Content = new PartlyReadContent(rest, content.Headers);
            return;
        }

        if (announced > reading.Bytes.Count)
        {
            throw new HttpIOException(HttpRequestError.ResponseEnded, "The body of the response is shorter than announced.");
        }

        var snapshot = new ResponseSnapshot(call, response, reading.Bytes, _guard);
        response.Content = snapshot.CreateContent();
        content.Dispose();
        exchange.Unshareable = announced < reading.Bytes.Count ? Unshareable.LengthMismatch : _rules.JudgeTrailers(response);
        exchange.Snapshot = exchange.Unshareable == Unshareable.None ? snapshot : null;
    }

    private async ValueTask<Unshareable> JudgeAsync<TResult>(
        Flight<TResult> flight, HttpExchange? exchange, ResilienceContext context, Outcome<TResult> outcome)
    {
        var snapshot = exchange?.Snapshot;
        if (outcome.Result is not null && snapshot is null)
        {
            // Followers never get the leader's own response, also where it was not said why.
            return exchange is null or { Unshareable: Unshareable.None } ? Unshareable.NotPrepared : exchange.Unshareable;
        }

        if (_shouldShare is null)
        {
            return Unshareable.None;
        }

        try
        {
            // A predicate may read the body, which must not use up the leader's.
            using var copy = snapshot?.CreateResponse(exchange!.Request);
            var asked = outcome.Exception is { } exception
                ? Outcome.FromException<HttpResponseMessage>(exception)
                : Outcome.FromResult(copy!);
            return await OutcomeDistribution.AskAsync(_telemetry, _shouldShare, context, asked).ConfigureAwait(false)
                ? Unshareable.None
                : Unshareable.ShouldShare;
        }
        catch (Exception)
        {
            // Nothing here is known to fail; if it does, the followers must not wait for ever.
            return Unshareable.ShouldShare;
        }
    }
}
