using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Http;

/// <summary>Prepares a response while the flight is open, and gives it to the leader.</summary>
internal sealed class ResponsePreparation(ResponseRules rules, ResponseBody body, IdentityGuard guard)
{
    public async ValueTask<Outcome<TResult>> PrepareAsync<TResult>(
        Attachment? leader, Outcome<TResult> outcome, CancellationToken cancellationToken)
    {
        if (leader is not HttpCall { Exchange: { } exchange } call || outcome.Result is not HttpResponseMessage response)
        {
            return outcome;
        }

        try
        {
            exchange.Unshareable = rules.Judge(call, exchange, response);
            if (exchange.Unshareable == Unshareable.None)
            {
                await ReadAsync(call, exchange, response, cancellationToken).ConfigureAwait(false);
            }

            return outcome;
        }
        catch (Exception exception)
        {
            response.Dispose();
            return Outcome.FromException<TResult>(ToHttpException(exception));
        }
    }

    public static void ReceiveOriginal<TResult>(Attachment? leader, in Outcome<TResult> outcome)
    {
        if (outcome.Result is HttpResponseMessage response && leader is HttpCall call)
        {
            call.Exchange?.Observer.ShowToOuter(response.RequestMessage);
            FinalRequest.Of(call, response)?.ApplyTo(call.Request);
            response.RequestMessage = call.Request;
        }
    }

    /// <summary>Converts an exception of the stream to the one that <see cref="HttpClient"/> throws for an incomplete body.</summary>
    private static Exception ToHttpException(Exception exception) => exception is IOException or ObjectDisposedException
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
        var reading = await body.ReadAsync(content, lengths, cancellationToken).ConfigureAwait(false);
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

        var snapshot = new ResponseSnapshot(call, response, reading.Bytes, guard);
        response.Content = snapshot.CreateContent();
        content.Dispose();
        exchange.Unshareable = announced < reading.Bytes.Count ? Unshareable.LengthMismatch : rules.JudgeTrailers(response);
        exchange.Snapshot = exchange.Unshareable == Unshareable.None ? snapshot : null;
    }
}
