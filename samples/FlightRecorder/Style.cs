namespace FlightRecorder;

/// <summary>How the page looks.</summary>
internal static class Style
{
    /// <summary>Hatching, for what is told apart by more than its colour. Once in the page, for all its drawings.</summary>
    public const string Patterns = """
        <svg class="patterns" width="0" height="0" aria-hidden="true"><defs>
        <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-back" width="6" height="6"/><rect class="hatch-line" width="2.4" height="6"/></pattern>
        <pattern id="hatch-failure" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-back" width="6" height="6"/><rect class="hatch-failed" width="2.4" height="6"/></pattern>
        </defs></svg>

        """;

    public const string Css = """

        :root { color-scheme: light dark; --text: #1d2733; --soft: #5b6876; --back: #ffffff; --panel: #f4f6f8; --line: #d4dae1;
          --success: #1769aa; --failure: #b3261e; --other: #8a5a00; --without: #7a8794; --on: #ffffff; }
        @media (prefers-color-scheme: dark) { :root { --text: #e6ebf0; --soft: #9dabba; --back: #12181f; --panel: #1b242d; --line: #35424f;
          --success: #63b3f0; --failure: #ff8a80; --other: #f0b84e; --without: #8b98a6; --on: #0d1218; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
        main { max-width: 1200px; margin: 0 auto; padding: 16px; overflow-wrap: anywhere; }
        h1 { font-size: 26px; margin: 8px 0; } h2 { font-size: 19px; margin: 32px 0 8px; } h3 { font-size: 14px; margin: 10px 0 2px; }
        small { font-size: 12.5px; font-weight: 400; color: var(--soft); } p { margin: 6px 0; } .note, .legend, .sections { color: var(--soft); font-size: 13px; }
        .big { font-size: 20px; } .big b { font-size: 30px; } .dropped { color: var(--failure); }
        .legend span, .sections span { display: inline-block; margin-right: 14px; } .legend svg { vertical-align: -3px; }
        .sections b { color: var(--text); }
        svg { display: block; } .legend svg { display: inline-block; } svg text { font-size: 12px; fill: var(--text); }
        .lane { background: var(--panel); border-radius: 4px; } .axis-only { overflow: visible; }
        .axis, .section { stroke: var(--line); } .section { stroke-dasharray: 3 3; stroke: var(--soft); opacity: .6; }
        svg text.tick { fill: var(--soft); } svg text.number { font-weight: 700; }
        .bar { stroke-width: 1.5; } .bar.success { fill: var(--success); stroke: var(--success); }
        .bar.failure { fill: url(#hatch-failure); stroke: var(--failure); }
        .bar.abandoned { fill: none; stroke: var(--soft); stroke-dasharray: 4 3; } .bar.other { fill: none; stroke: var(--other); }
        .bar.open { fill: none; stroke: var(--success); stroke-dasharray: 1 3; }
        svg text.on.success { fill: var(--on); } svg text.on.failure { font-weight: 700; paint-order: stroke; stroke: var(--panel); stroke-width: 4px; }
        .follower { fill: none; stroke-width: 1; vector-effect: non-scaling-stroke; opacity: .55; stroke: var(--success); }
        .follower.failure { stroke: var(--failure); stroke-dasharray: 5 2; } .follower.left { stroke: var(--other); opacity: .8; }
        .follower.other { stroke: var(--other); stroke-dasharray: 2 2; } .mark { fill: none; stroke: var(--other); stroke-width: 1.5; }
        .with { fill: var(--success); } .without { fill: url(#hatch); stroke: var(--without); }
        .hatch-back { fill: var(--panel); } .hatch-line { fill: var(--without); } .hatch-failed { fill: var(--failure); } .patterns { position: absolute; }
        .two { display: grid; grid-template-columns: 1fr 1fr; gap: 24px; } figure { margin: 0; min-width: 0; }
        @media (max-width: 700px) { .two { grid-template-columns: 1fr; } }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
        th, td { padding: 4px 14px 4px 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
        th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
        #flights td:nth-child(2), #flights th:nth-child(2), #flights td:nth-child(5), #flights th:nth-child(5) { text-align: left; }

        """;
}
