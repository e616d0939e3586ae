namespace Polly.SingleFlight.BrowserCheck;

/// <summary>Something wrong with a page.</summary>
internal sealed record Fault(string Page, string Kind, string Text)
{
    public override string ToString() => $"{Page}: {Kind}: {Text.ReplaceLineEndings(" ")}";
}
