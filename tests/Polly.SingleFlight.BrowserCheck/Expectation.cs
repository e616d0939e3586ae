using PuppeteerSharp;

namespace Polly.SingleFlight.BrowserCheck;

/// <summary>Text that one element of a page must have.</summary>
internal sealed record Expectation(string Selector, string Text)
{
    /// <summary>Reads <c>selector=text</c>. The text begins after the last equals sign, since selectors have some, too.</summary>
    public static Expectation Parse(string argument) => argument.LastIndexOf('=') is > 0 and var end
        ? new(argument[..end], argument[(end + 1)..])
        : throw new ArgumentException($"--expect needs SELECTOR=TEXT, and not '{argument}'.");

    /// <summary>Returns what is wrong, or null.</summary>
    public async Task<string?> FindFaultAsync(IPage page)
    {
        var texts = await page.EvaluateFunctionAsync<string[]>(
            "selector => [...document.querySelectorAll(selector)].map(element => element.textContent.trim().replace(/\\s+/g, ' '))", Selector);
        return texts switch
        {
            [var text] when text == Text => null,
            [var text] => $"{Selector} is '{text}' and not '{Text}'",
            _ => $"{texts.Length} elements match {Selector}",
        };
    }
}
