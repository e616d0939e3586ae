using Polly.SingleFlight.AotSmoke;

// Uses the library the way an application does, after the trimmer and the native compiler have been over it.
// Exit code 0: every check passed. 1: the checks that failed are named on standard error.
(string Name, Func<Task> Run)[] checks =
[
    ("100 callers of one key run once", Coalescing.HundredCallersOfOneKey),
    ("keys of every kind coalesce by value", Coalescing.KeysOfEveryKind),
    ("one key, four result types: four flights", Coalescing.ResultTypesAreSeparate),
    ("synchronous executions run and see their role", Coalescing.Synchronous),
    ("a callback is recognised by its flight's token", Coalescing.NestedByTokenRunsAlone),
    ("a disposable result is copied for each follower", Sharing.DisposableResultsAreCloned),
    ("an outcome that is not to be shared is not", Sharing.UnsharedOutcomesStayWithTheLeader),
    ("a disposable result without a cloner is refused", Sharing.DisposableResultWithoutClonerIsRefused),
    ("invalid options are refused by name", Validation.InvalidOptionsAreNamed),
    ("invalid typed options are refused by name", Validation.InvalidTypedOptionsAreNamed),
    ("retry inside: one loop for all", Composition.RetryInsideIsOneLoopForAll),
    ("timeout outside: one caller's patience", Composition.TimeoutOutsideIsOneCallersPatience),
    ("a group shows, forgets and cancels flights", Composition.GroupControlsFlights),
    ("a client configured from a section coalesces", Registration.ClientWithConfigurationCoalesces),
    ("an invalid section is refused by key", Registration.InvalidConfigurationIsNamed),
    ("a cached result is returned without a call", Caching.SecondCallIsAHit),
    ("a cached value of a value type is returned without a call", Caching.ValueTypesAndDerivedTypesAreCached),
    ("a result is refreshed ahead", Caching.RefreshAheadRunsInTheBackground),
    ("a hybrid cache serializes entries with generated code", Caching.HybridCacheSerializesEntries),
    ("invalid cache options are refused by name", Caching.InvalidOptionsAreNamed),
    ("two nodes without a Redis that answers run on their own", Distributed.NodesWithoutRedisRunAlone),
    ("two nodes with a Redis share one execution with generated code", Distributed.NodesShareOneExecution),
    ("invalid distributed options are refused by name", Distributed.InvalidOptionsAreNamed),
];

var failed = 0;
foreach (var (name, run) in checks)
{
    try
    {
        await run().WaitAsync(TimeSpan.FromSeconds(30));
        Console.WriteLine($"passed  {name}");
    }
    catch (Exception exception)
    {
        failed++;
        Console.Error.WriteLine($"FAILED  {name}: {exception}");
    }
}

Console.WriteLine($"{checks.Length - failed} of {checks.Length} checks passed");
return failed == 0 ? 0 : 1;
