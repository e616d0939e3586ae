namespace Polly.SingleFlight.BrowserCheck;

/// <summary>What the command line asks for.</summary>
/// <param name="Targets">Files and folders to check.</param>
/// <param name="Expectations">What the first page of each target must show.</param>
internal sealed record CheckOptions(IReadOnlyList<string> Targets, IReadOnlyList<Expectation> Expectations)
{
    public const string Usage =
        """
        usage: BrowserCheck [--expect SELECTOR=TEXT]... FILE|FOLDER...

        Opens pages in headless Chromium and reports what is wrong with them, a line for each fault. A folder is served as a site: its index.html
        and all pages that can be reached from there are checked. A file is served alone, so whatever else it asks for is missing.

        --expect SELECTOR=TEXT   exactly one element of the first page matches the selector, and TEXT is its text

        Chromium is looked for in PATH; the variable CHROMIUM names another one. The exit code is 0 if all is well, 1 if there are faults, and 2 if
        nothing could be checked.
        """;

    /// <summary>Reads the command line.</summary>
    /// <exception cref="ArgumentException">It makes no sense; the message says why.</exception>
    public static CheckOptions Parse(IReadOnlyList<string> arguments)
    {
        List<string> targets = [];
        List<Expectation> expectations = [];
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == "--expect")
            {
                i++;
                expectations.Add(Expectation.Parse(i < arguments.Count ? arguments[i] : ""));
            }
            else if (arguments[i].StartsWith('-'))
            {
                throw new ArgumentException($"There is no option {arguments[i]}.");
            }
            else if (!Path.Exists(arguments[i]))
            {
                throw new ArgumentException($"{arguments[i]} does not exist.");
            }
            else
            {
                targets.Add(Path.GetFullPath(arguments[i]));
            }
        }

        return targets.Count > 0 ? new(targets, expectations) : throw new ArgumentException("There is nothing to check.");
    }
}
