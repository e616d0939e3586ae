using PuppeteerSharp;

namespace Polly.SingleFlight.BrowserCheck;

/// <summary>Visits every page of a site that can be reached from its first page, and looks at every link between them.</summary>
internal sealed class SiteCheck(StaticSite site, IBrowser browser, IReadOnlyList<Expectation> expectations) : IDisposable
{
    private const int PagesAtOnce = 3;

    private readonly HttpClient _http = new();
    private readonly Dictionary<string, PageVisit> _pages = [];
    private readonly HashSet<string> _otherFiles = [];
    private readonly List<(string Page, Uri Target)> _links = [];
    private readonly List<Fault> _faults = [];

    public int Pages => _pages.Count;

    public async Task<IReadOnlyList<Fault>> RunAsync()
    {
        Uri[] wave = [site.Start];
        while (wave.Length > 0)
        {
            await Parallel.ForEachAsync(
                wave.Select(address => (address, visit: Register(address))).ToArray(),
                new ParallelOptions { MaxDegreeOfParallelism = PagesAtOnce },
                async (entry, _) => await entry.visit.RunAsync(browser));
            wave = await FollowAsync(wave);
        }

        foreach (var (page, target) in _links)
        {
            var name = Uri.UnescapeDataString(target.Fragment.TrimStart('#'));
            if (name is not ("" or "top") && _pages.TryGetValue(target.AbsolutePath, out var visit) && !visit.Anchors.Contains(name))
            {
                _faults.Add(new(page, "broken link", $"{target.PathAndQuery} has no place '{name}'"));
            }
        }

        return [.. _pages.Values.SelectMany(static visit => visit.Faults), .. _faults];
    }

    public void Dispose() => _http.Dispose();

    private PageVisit Register(Uri address) =>
        _pages[address.AbsolutePath] = new PageVisit(site, address, address == site.Start ? expectations : []);

    /// <summary>Returns the pages that the last ones lead to and that nobody has seen yet.</summary>
    private async Task<Uri[]> FollowAsync(Uri[] wave)
    {
        Dictionary<string, Uri> next = [];
        foreach (var page in wave)
        {
            foreach (var link in _pages[page.AbsolutePath].Links.Distinct())
            {
                if (!Uri.TryCreate(link, UriKind.Absolute, out var target) || !site.Holds(target))
                {
                    continue;
                }

                _links.Add((page.AbsolutePath, target));
                if (!_pages.ContainsKey(target.AbsolutePath) && !next.ContainsKey(target.AbsolutePath) && !_otherFiles.Contains(target.AbsolutePath)
                    && await IsPageAsync(page, target))
                {
                    next.Add(target.AbsolutePath, new Uri(target.GetLeftPart(UriPartial.Query)));
                }
            }
        }

        return [.. next.Values];
    }

    private async Task<bool> IsPageAsync(Uri from, Uri target)
    {
        using var response = await _http.GetAsync(target, HttpCompletionOption.ResponseHeadersRead);
        if (!response.IsSuccessStatusCode)
        {
            _faults.Add(new(from.AbsolutePath, "broken link", $"{target.PathAndQuery}: {(int)response.StatusCode}"));
            return false;
        }

        var isPage = response.Content.Headers.ContentType?.MediaType == "text/html";
        if (!isPage)
        {
            _otherFiles.Add(target.AbsolutePath);
        }

        return isPage;
    }
}
