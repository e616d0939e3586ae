// Shows a stampede of 1000 callers without and with single flight, and a leader that leaves while others wait.
// No dependency injection, no HTTP: the upstream is a method that takes a second.
// Run it with: dotnet run --project samples/QuickStart
using Polly;

string[] regions = ["Asia", "Europe", "Africa", "America"];
int calls = 0;

// 1. The stampede: each caller calls the upstream.
await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => RequestTokenAsync(regions[i % 4], CancellationToken.None)));
int stampede = Interlocked.Exchange(ref calls, 0);
Console.WriteLine($"without single flight: 1000 callers, {stampede} calls");

// 2. Single flight: build the pipeline once, and share it. Callers with the same key share a call.
ResiliencePipeline pipeline = new ResiliencePipelineBuilder()
    .AddSingleFlight()
    .Build();

string[] tokens = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => GetTokenAsync(regions[i % 4], CancellationToken.None)));
int coalesced = Interlocked.Exchange(ref calls, 0);
bool right = Enumerable.Range(0, 1000).All(i => tokens[i] == $"token for {regions[i % 4]}");
Console.WriteLine($"with single flight: 1000 callers, {coalesced} calls, each has the token of its region: {right}");

// 3. A leader that leaves: the caller whose callback runs gives up. The call goes on for the two that joined.
using var impatient = new CancellationTokenSource();
Task<string> leader = GetTokenAsync("Europe", impatient.Token);
Task<string>[] followers = [GetTokenAsync("Europe", CancellationToken.None), GetTokenAsync("Europe", CancellationToken.None)];
await impatient.CancelAsync();
bool left = false;
try
{
    await leader;
}
catch (OperationCanceledException exception)
{
    left = exception.CancellationToken == impatient.Token;
}

bool early = !followers.Any(follower => follower.IsCompleted);
bool served = (await Task.WhenAll(followers)).All(token => token == "token for Europe");
int afterLeaving = calls;
Console.WriteLine($"the leader left at once, with its own token: {left && early}; its followers have the token: {served}; {afterLeaving} call");

return stampede == 1000 && coalesced == 4 && right && left && early && served && afterLeaving == 1 ? 0 : 1;

Task<string> GetTokenAsync(string region, CancellationToken cancellationToken) =>
    pipeline.ExecuteSingleFlightAsync(
        ("token", region),                                              // the key: what makes two calls the same
        async flightToken => await RequestTokenAsync(region, flightToken), // fires when the last caller has left
        cancellationToken).AsTask();

async Task<string> RequestTokenAsync(string region, CancellationToken cancellationToken)
{
    Interlocked.Increment(ref calls);
    await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
    return $"token for {region}";
}
