namespace Polly.SingleFlight.AotSmoke;

/// <summary>The few assertions that the checks need, without a test framework's reflection.</summary>
internal static class Expect
{
    public static void Equal<T>(T expected, T actual, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            throw new InvalidOperationException($"{what}: expected {expected}, got {actual}.");
        }
    }

    public static void Contains(string part, string text)
    {
        if (!text.Contains(part, StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"\"{part}\" is missing in \"{text}\".");
        }
    }

    public static TException Throws<TException>(Action action)
        where TException : Exception
    {
        try
        {
            action();
        }
        catch (TException exception)
        {
            return exception;
        }

        throw new InvalidOperationException($"Nothing was thrown instead of {typeof(TException).Name}.");
    }

    public static async Task<TException> ThrowsAsync<TException>(Task task)
        where TException : Exception
    {
        try
        {
            await task;
        }
        catch (TException exception)
        {
            return exception;
        }

        throw new InvalidOperationException($"Nothing was thrown instead of {typeof(TException).Name}.");
    }

    public static TaskCompletionSource Gate() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
