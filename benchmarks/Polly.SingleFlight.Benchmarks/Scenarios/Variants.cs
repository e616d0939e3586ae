namespace Polly.SingleFlight.Benchmarks.Scenarios;

/// <summary>How the callback completes.</summary>
public enum Completion
{
    Synchronous,

    /// <summary>After <see cref="Task.Yield"/>.</summary>
    Asynchronous,
}

/// <summary>The method of the pipeline that is called.</summary>
public enum Entry
{
    ExecuteAsync,
    ExecuteOutcomeAsync,
}

/// <summary>The tokens that callers bring.</summary>
public enum TokenUse
{
    None,

    /// <summary>Each call the token of a new source.</summary>
    Fresh,

    /// <summary>All calls the same one, which can be cancelled and is not.</summary>
    Reused,
}
