namespace Polly.SingleFlight.Composition.Tests.Infrastructure;

/// <summary>A row as docs/composition.md shows it, but for its last cell, which says why.</summary>
internal static class RowText
{
    public const string Recommended = "recommended";

    public static string[] Cells(Row row, string recommendedOrder) =>
    [
        row.Name,
        row.Order == recommendedOrder ? Recommended : row.Order,
        Upstream(row.Upstream),
        $"{row.Calls}",
        Shares(row.Shares),
    ];

    private static string Upstream(Reply[] replies)
    {
        var parts = new List<string>();
        for (var (i, run) = (0, 0); i < replies.Length; i += run)
        {
            run = replies.Skip(i).TakeWhile(reply => reply == replies[i]).Count();
            parts.Add(run > 1 ? $"{run} × {replies[i]}" : replies[i].ToString());
        }

        return string.Join(", then ", parts);
    }

    private static string Shares(Share[] shares) => string.Join("<br>", shares
        .GroupBy(share => (share.Count, share.Outcome, share.Waited))
        .Select(group => FormattableString.Invariant($"{group.Key.Count} × {group.Key.Outcome} after {group.Key.Waited} s") + Arrivals([.. group])));

    private static string Arrivals(Share[] shares) => shares switch
    {
        [{ Arrived: 0 }] => "",
        { Length: > 4 } => FormattableString.Invariant($" (came at {shares[0].Arrived}, {shares[1].Arrived}, … {shares[^1].Arrived} s)"),
        _ => $" (came at {string.Join(", ", shares.Select(share => FormattableString.Invariant($"{share.Arrived}")))} s)",
    };
}
