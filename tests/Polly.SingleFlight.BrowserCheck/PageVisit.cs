using System.Collections.Concurrent;
using PuppeteerSharp;

namespace Polly.SingleFlight.BrowserCheck;

/// <summary>Opens one page in two widths and collects what is wrong with it.</summary>
internal sealed class PageVisit(StaticSite site, Uri address, IReadOnlyList<Expectation> expectations)
{
    private const int SmallestText = 12;
    private const int WindowHeight = 900;
    private const int Patience = 60_000;

    private static readonly int[] s_widths = [1280, 400];
    private static readonly string s_linksScript = Script("links.js");
    private static readonly string s_layoutScript = Script("layout.js");

    /// <summary>Events of the browser come on other threads.</summary>
    private readonly ConcurrentQueue<Fault> _faults = [];

    public IReadOnlyCollection<Fault> Faults => _faults;

    public IReadOnlyList<string> Links { get; private set; } = [];

    public IReadOnlySet<string> Anchors { get; private set; } = new HashSet<string>();

    public async Task RunAsync(IBrowser browser)
    {
        await using var page = await browser.NewPageAsync();
        Listen(page);
        try
        {
            await page.SetViewportAsync(new ViewPortOptions { Width = s_widths[0], Height = WindowHeight });
            await page.GoToAsync(address.AbsoluteUri, Patience, [WaitUntilNavigation.Networkidle0]);
            foreach (var width in s_widths)
            {
                await CheckLayoutAsync(page, width);
            }

            var found = await page.EvaluateFunctionAsync<FoundLinks>(s_linksScript);
            Links = found.Links;
            Anchors = found.Anchors.ToHashSet();
            foreach (var expectation in expectations)
            {
                if (await expectation.FindFaultAsync(page) is { } fault)
                {
                    Add("not as expected", fault);
                }
            }
        }
        catch (Exception exception) when (exception is PuppeteerException or TimeoutException)
        {
            Add("cannot be checked", exception.Message);
        }
    }

    private void Listen(IPage page)
    {
        page.Console += (_, args) =>
        {
            if (args.Message.Type == ConsoleType.Error)
            {
                Add("console error", args.Message.Text);
            }
        };
        page.PageError += (_, args) => Add("script error", args.Message);
        page.RequestFailed += (_, args) => Add("failed request", $"{args.Request.Url}: {args.Request.FailureText}");
        page.Response += (_, args) =>
        {
            if ((int)args.Response.Status >= 400)
            {
                Add("failed request", $"{args.Response.Url}: {(int)args.Response.Status}");
            }
        };
        page.Request += (_, args) =>
        {
            if (new Uri(args.Request.Url) is { Scheme: not ("data" or "blob" or "about") } request && !site.Holds(request))
            {
                Add("request to another host", args.Request.Url);
            }
        };
    }

    private async Task CheckLayoutAsync(IPage page, int width)
    {
        await page.SetViewportAsync(new ViewPortOptions { Width = width, Height = WindowHeight });
        var layout = await page.EvaluateFunctionAsync<FoundLayout>(s_layoutScript, SmallestText);
        if (layout.Overflow > 0)
        {
            Add("too wide", $"by {layout.Overflow} px at {width} px: {string.Join(", ", layout.Wide)}");
        }

        foreach (var text in layout.Small)
        {
            Add("small text", $"{text} at {width} px");
        }
    }

    private void Add(string kind, string text) => _faults.Enqueue(new(address.PathAndQuery, kind, text));

    private static string Script(string name)
    {
        using var reader = new StreamReader(typeof(PageVisit).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    private sealed record FoundLinks(string[] Links, string[] Anchors);

    private sealed record FoundLayout(string[] Small, double Overflow, string[] Wide);
}
