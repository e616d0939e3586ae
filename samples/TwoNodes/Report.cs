namespace TwoNodes;

/// <summary>What the tour prints, and what was not as expected.</summary>
internal sealed class Report
{
    private readonly bool _hasColors = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
    private readonly List<Wave> _waves = [];
    private readonly List<string> _faults = [];

    public bool IsGood => _faults.Count == 0;

    public static void Say(string text) => Console.WriteLine("  " + text);

    /// <summary>Prints a wave and compares it with what was expected.</summary>
    public void Add(Wave wave)
    {
        _waves.Add(wave);
        Console.WriteLine(
            $"{wave.Name}: {wave.Callers} callers, {wave.Calls.Count} upstream calls"
            + (wave.Lost > 0 ? $", {wave.Lost} callers lost with their node" : "")
            + $", {wave.Failed} failed");
        Check(wave.Calls.Count == wave.Expected, $"{wave.Name}: {wave.Calls.Count} upstream calls instead of {wave.Expected}");
        Check(wave.Failed == 0, $"{wave.Name}: {wave.Failed} callers failed, the first with: {wave.Reports.SelectMany(static report => report.Errors).FirstOrDefault()}");
        Check(!wave.IsMixedUp, $"{wave.Name}: a caller got a token of another region");
    }

    public void Check(bool holds, string fault)
    {
        if (!holds)
        {
            _faults.Add(fault);
        }
    }

    /// <summary>Prints all waves as a table, and what was not as expected.</summary>
    public void Close()
    {
        Console.WriteLine();
        Console.WriteLine($"{"wave",-26}{"callers",8}{"answered",10}{"failed",8}{"lost",6}{"upstream",10}{"expected",10}{"seconds",9}");
        foreach (var wave in _waves)
        {
            var line = $"{wave.Name,-26}{wave.Callers,8}{wave.Answered,10}{wave.Failed,8}{wave.Lost,6}{wave.Calls.Count,10}{wave.Expected,10}{wave.Time.TotalSeconds,9:0.00}";
            Console.WriteLine(Colored(line, wave.Calls.Count == wave.Expected && wave.Failed == 0));
        }

        Console.WriteLine();
        _faults.ForEach(fault => Console.WriteLine(Colored($"not as expected: {fault}", isGood: false)));
        if (IsGood)
        {
            Console.WriteLine(Colored("everything was as expected", isGood: true));
        }
    }

    private string Colored(string text, bool isGood) => _hasColors ? $"\e[{(isGood ? 32 : 31)}m{text}\e[0m" : text;
}
