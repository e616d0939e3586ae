using System.Runtime.Versioning;
using Microsoft.Extensions.Caching.Memory;
using Polly;
using Polly.SingleFlight;
using Polly.SingleFlight.Caching;

// What a first user writes, against the packages and nothing else: 1000 callers over four keys must cost four executions.
var group = new SingleFlightGroup();
var pipeline = new ResiliencePipelineBuilder<string>()
    .AddSingleFlight(new SingleFlightStrategyOptions<string>
    {
        Group = group,
        ShouldShare = static args => new(args.Outcome.Exception is null),
    })
    .Build();

string[] regions = ["Asia", "Europe", "Africa", "America"];
var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
var executions = 0;
var callers = Enumerable.Range(0, 1000).Select(i => pipeline.ExecuteSingleFlightAsync(
    ("token", regions[i % regions.Length]),
    async cancellationToken =>
    {
        Interlocked.Increment(ref executions);
        await answer.Task.WaitAsync(cancellationToken);
        return $"token for {regions[i % regions.Length]}";
    }).AsTask()).ToArray();
var waiting = group.GetFlights().Sum(static flight => flight.CallerCount);
answer.SetResult();
var tokens = await Task.WhenAll(callers);
var right = tokens.Where((token, i) => token == $"token for {regions[i % regions.Length]}").Count();

// The untyped builder, a key set by hand, and what the caller is told about its flight.
var plain = new ResiliencePipelineBuilder().AddSingleFlight().Build();
var context = ResilienceContextPool.Shared.Get();
context.SetSingleFlightKey("key");
var number = await plain.ExecuteAsync(static _ => ValueTask.FromResult(42), context);
var role = context.GetSingleFlightResult()?.Role;
ResilienceContextPool.Shared.Return(context);

// A registered HttpClient, whose callers each get a response of their own.
var (answered, requests) = await RegisteredClient.RunAsync(callers: 100);

// A cache in front: the second wave calls nobody.
using var memory = new MemoryCache(new MemoryCacheOptions());
var calls = 0;
var cached = new ResiliencePipelineBuilder<string>().AddCache(memory, new CacheStrategyOptions<string>()).AddSingleFlight().Build();
for (var wave = 0; wave < 2; wave++)
{
    await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => cached.ExecuteSingleFlightAsync(
        "key",
        async cancellationToken =>
        {
            Interlocked.Increment(ref calls);
            await Task.Yield();
            return "value";
        }).AsTask()));
}

var framework = typeof(SingleFlightGroup).Assembly.GetCustomAttributes(false).OfType<TargetFrameworkAttribute>().Single().FrameworkName;
Console.WriteLine($"{framework} on .NET {Environment.Version}: {callers.Length} callers, {waiting} waiting, {executions} executions, " +
    $"{right} right results, {group.ActiveFlights} flights left; {role}: {number}; {answered} HTTP callers, {requests} requests; {calls} cached calls");
return (waiting, executions, right, group.ActiveFlights, role, number, answered, requests, calls)
    == (1000, 4, 1000, 0, SingleFlightRole.Leader, 42, 100, 1, 1) ? 0 : 1;
