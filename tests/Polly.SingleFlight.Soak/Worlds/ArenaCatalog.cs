namespace Polly.SingleFlight.Soak;

/// <summary>
/// The arenas: each allows some hazards and no others, so that what must not happen there is exact.
/// </summary>
internal static class ArenaCatalog
{
    private const Hazards Common = Hazards.Cancellation | Hazards.Faults | Hazards.Sync;
    private const Hazards Everything =
        Common | Hazards.Forget | Hazards.GroupCancel | Hazards.Expiry | Hazards.LeaderToken | Hazards.Nested
        | Hazards.InnerCancellation | Hazards.Alone;

    private static readonly (string Name, Hazards Hazards, Overtaken Overtaken, Action<Arena> Build)[] s_all =
    [
        ("plain", Hazards.Cancellation | Hazards.Sync, Overtaken.Nobody, static arena => arena.AddLane("default")),
        ("nested", Common | Hazards.Nested | Hazards.InnerCancellation | Hazards.Alone, Overtaken.Nobody, static arena =>
        {
            arena.AddLane("first");
            arena.AddLane("second");
        }),
        ("forget", Common | Hazards.Forget, Overtaken.WhoEnteredBefore, static arena => arena.AddLane("default")),
        ("cancel", Common | Hazards.GroupCancel | Hazards.Nested | Hazards.Alone, Overtaken.Nobody, static arena => arena.AddLane("default")),
        ("expiry", Common | Hazards.Expiry, Overtaken.WhoEnteredBefore, static arena =>
        {
            arena.AddLane("short", static o => o.MaxJoinAge = TimeSpan.FromTicks(40));
            arena.AddLane("long", static o => o.MaxJoinAge = TimeSpan.FromTicks(200));
            arena.AddLane("endless");
        }),
        ("handover", Common | Hazards.GroupCancel | Hazards.LeaderToken | Hazards.Nested | Hazards.InnerCancellation | Hazards.Alone, Overtaken.Nobody, static arena =>
        {
            arena.AddLane("never", static o => (o.LeaderDeparture, o.MaxElections) = (LeaderDeparture.HandOver, 0));
            arena.AddLane("once", static o => o.LeaderDeparture = LeaderDeparture.HandOver);
            arena.AddLane("often", static o => (o.LeaderDeparture, o.MaxElections) = (LeaderDeparture.HandOver, 3));
        }),
        ("leadertoken", Common | Hazards.LeaderToken | Hazards.InnerCancellation | Hazards.Alone, Overtaken.Nobody, static arena =>
        {
            arena.AddLane("once");
            arena.AddLane("often", static o => o.MaxElections = 3);
        }),
        ("unshared", Common | Hazards.Alone, Overtaken.Nobody, static arena =>
        {
            arena.AddLane<Execution>("typed", ResultKind.Receipt, static o => o.ShouldShare = SharingRules.ShouldShareAsync);
            arena.AddLane<string>("text", ResultKind.Text, static o => o.ShouldShare = SharingRules.ShouldShareAsync);
        }),
        ("elect", Common | Hazards.LeaderToken | Hazards.Alone, Overtaken.Anybody, static arena =>
        {
            arena.AddLane<Execution>("once", ResultKind.Receipt, static o =>
                (o.ShouldShare, o.UnsharedOutcome) = (SharingRules.ShouldShareAsync, UnsharedOutcome.ElectNewLeader));
            arena.AddLane<Execution>("often", ResultKind.Receipt, static o =>
                (o.ShouldShare, o.UnsharedOutcome, o.MaxElections) = (SharingRules.ShouldShareAsync, UnsharedOutcome.ElectNewLeader, 4));
        }),
        ("leases", Common | Hazards.Forget | Hazards.GroupCancel | Hazards.Alone | Hazards.LeaderToken, Overtaken.Anybody, static arena =>
        {
            arena.AddLane<Lease>("clone", ResultKind.Lease, static o => o.ResultCloner = SharingRules.CloneAsync);
            arena.AddLane<Lease>("choose", ResultKind.Lease, static o =>
                (o.ResultCloner, o.ShouldShare, o.UnsharedOutcome) = (SharingRules.CloneAsync, SharingRules.ShouldShareAsync, UnsharedOutcome.ElectNewLeader));
            arena.AddLane<Lease>("handover", ResultKind.Lease, static o =>
                (o.ResultCloner, o.LeaderDeparture) = (SharingRules.CloneAsync, LeaderDeparture.HandOver));
        }),
        ("keepgoing", Common, Overtaken.Nobody, static arena => arena.AddLane("default", static o => o.CancelWhenAbandoned = false)),
        ("patience", Hazards.Cancellation | Hazards.Patience | Hazards.GroupCancel | Hazards.Alone, Overtaken.Nobody, static arena =>
        {
            arena.AddLane("detach");
            arena.AddLane("handover", static o => o.LeaderDeparture = LeaderDeparture.HandOver);
        }),
        ("impatience", Hazards.Cancellation | Hazards.Patience | Hazards.Alone, Overtaken.Anybody, static arena =>
            arena.AddLane<Execution>("elect", ResultKind.Receipt, static o =>
                (o.ShouldShare, o.UnsharedOutcome, o.MaxElections) = (SharingRules.ShouldShareAsync, UnsharedOutcome.ElectNewLeader, 4))),
        ("mixed", Everything, Overtaken.Anybody, static arena =>
        {
            arena.AddLane("default");
            arena.AddLane("handover", static o => (o.LeaderDeparture, o.MaxElections) = (LeaderDeparture.HandOver, 2));
            arena.AddLane("expiring", static o => o.MaxJoinAge = TimeSpan.FromTicks(100));
            arena.AddLane("keepgoing", static o => o.CancelWhenAbandoned = false);
            arena.AddLane<string>("text", ResultKind.Text, static o => o.ShouldShare = SharingRules.ShouldShareAsync);
            arena.AddLane<Execution>("elect", ResultKind.Receipt, static o =>
                (o.ShouldShare, o.UnsharedOutcome) = (SharingRules.ShouldShareAsync, UnsharedOutcome.ElectNewLeader));
            arena.AddLane<Lease>("lease", ResultKind.Lease, static o => o.ResultCloner = SharingRules.CloneAsync);
        }),
    ];

    public static IEnumerable<string> Names => s_all.Select(static arena => arena.Name);

    public static Arena[] Create(World world, SoakOptions options) =>
    [
        .. s_all.Where(arena => options.Arena is null || options.Arena == arena.Name).Select(definition =>
        {
            var (name, hazards, overtaken, build) = definition;

            // A flight that ends only when everybody has left needs moments in which nobody is there.
            var keys = hazards.HasFlag(Hazards.Patience) ? options.Keys * 4 : options.Keys;
            var arena = new Arena(world, name, hazards, overtaken, keys) { HasEvents = name != "plain" };
            build(arena);
            return arena;
        }),
    ];
}
