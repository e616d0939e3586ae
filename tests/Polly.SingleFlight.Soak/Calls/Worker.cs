namespace Polly.SingleFlight.Soak;

/// <summary>One task of the soak: draws calls and meddles with the groups until the run ends.</summary>
internal sealed class Worker(World world, ulong seed)
{
    private Rng _rng = new(seed);

    public Tally Tally { get; } = new();

    /// <summary>The call being made, for the list of those that hang.</summary>
    public Call? Current { get; private set; }

    public async Task RunAsync()
    {
        await Task.Yield();
        var reused = new CancellationTokenSource();
        while (!world.IsStopping)
        {
            var arena = DrawArena();
            if (_rng.PerMille(120))
            {
                world.Board.Strike(world, _rng.Below(1 << 16));
            }

            if (_rng.PerMille(arena.Allows(Hazards.Patience) ? 300 : 60))
            {
                Meddling.Act(arena, ref _rng);
            }

            var lane = arena.Lanes[_rng.Below(arena.Lanes.Count)];
            var call = new Call(this, lane, CallPlan.Draw(ref _rng, arena, depth: 0), ref _rng, depth: 0);
            Current = call;
            Tally.Calls++;
            PrepareToken(call, default, reused);
            var receipt = await MakeAsync(call);
            receipt.Lease?.Dispose();
            reused = AfterCall(call, receipt) ?? reused;
            Current = null;
        }
    }

    /// <summary>A call from inside a callback; its outcome is checked and otherwise ignored.</summary>
    public async ValueTask CallNestedAsync(Call outer, ResilienceContext context)
    {
        var direct = outer.Random.PerMille(300);
        var arena = direct || outer.Random.PerMille(600) ? outer.Arena : world.Nestable[outer.Random.Below(world.Nestable.Length)];
        var lane = arena.Lanes[outer.Random.Below(arena.Lanes.Count)];
        var call = new Call(this, lane, CallPlan.Draw(ref outer.Random, arena, outer.Depth + 1), ref outer.Random, outer.Depth + 1);
        PrepareToken(call, outer.Random.PerMille(500) ? context.CancellationToken : default, new CancellationTokenSource());
        outer.Own!.Calling = call;
        var receipt = await MakeAsync(call);
        outer.Own.Calling = null;
        receipt.Lease?.Dispose();
    }

    private static async ValueTask<Receipt> MakeAsync(Call call)
    {
        if (call.Plan.UsesAmbient)
        {
            Call.Ambient.Value = call;
        }

        CallRules.Enter(call);
        var receipt = await CallRunner.RunAsync(call);
        CallRules.Leave(call, receipt);
        return receipt;
    }

    /// <summary>Neighbouring moments mostly share an arena, so that callers meet.</summary>
    private Arena DrawArena()
    {
        var arenas = world.Arenas;
        var arena = _rng.PerMille(900) ? arenas[(int)((world.Sequence >> 14) % arenas.Length)] : arenas[_rng.Below(arenas.Length)];

        // Where everybody waits for timers little happens, so most go elsewhere meanwhile.
        return arena.Allows(Hazards.Patience) && _rng.PerMille(500) ? arenas[_rng.Below(arenas.Length)] : arena;
    }

    private void PrepareToken(Call call, CancellationToken inherited, CancellationTokenSource reused)
    {
        switch (call.Plan.OwnToken)
        {
            case OwnToken.None:
                call.Token = inherited;
                return;
            case OwnToken.Reused:
                call.Source = reused;
                break;
            case OwnToken.Timed:
                call.Source = new CancellationTokenSource(TimeSpan.FromMilliseconds(1 + call.Random.Below(3)));
                world.Board.Publish(call.Source, ref call.Random);
                break;
            default:
                call.Source = new CancellationTokenSource();
                break;
        }

        call.Token = call.Source.Token;
        if (call.Plan.OwnToken == OwnToken.CanceledOnEntry)
        {
            CancellationBoard.Cancel(world, call.Source);
        }
        else if (call.Plan.OwnToken == OwnToken.OnBoard)
        {
            call.Slot = world.Board.Publish(call.Source, ref call.Random);
        }
    }

    /// <summary>Returns a source that somebody might have cancelled but did not, to be used again.</summary>
    private CancellationTokenSource? AfterCall(Call call, in Receipt receipt)
    {
        if (receipt.Exception is FlightCanceledException || call.Token.IsCancellationRequested)
        {
            Tally.Canceled++;
            return null;
        }

        return call.Slot >= 0 && world.Board.TryWithdraw(call.Slot, call.Source!) ? call.Source : null;
    }
}
