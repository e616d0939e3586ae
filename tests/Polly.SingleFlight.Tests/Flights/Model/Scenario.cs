using System.Text;

namespace Polly.SingleFlight.Tests.Flights.Model;

/// <summary>A sequence of steps from an empty table.</summary>
internal sealed record Scenario(ModelRules[] Rules, bool KeysCollide, Step[] Steps)
{
    /// <summary>Bounds the steps at the end; every caller needs a few.</summary>
    private const int MaxLastSteps = 1_000;

    /// <summary>What is done at the end until nothing more can be done, so that every caller must get something.</summary>
    private static readonly Step[] s_lastSteps =
        [new SettleIn(0), new RunAlone(0), new Lead(0), new Land(0, Ending.Result, 0, IsPrepared: false), new Serve(0, IsShared: true)];

    /// <summary>Takes the steps with the engine beside the model. Throws when they differ, with what was done until then.</summary>
    /// <returns>What happened, in the words of the model.</returns>
    public List<string> Run(Patience patience)
    {
        using var subject = new Subject(Rules, KeysCollide);
        var model = new FlightModel(Rules);
        return Run(model, subject, new Comparison(model, subject, patience));
    }

    /// <summary>Tells what the steps do, by the model alone.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Run(new FlightModel(Rules), null, null).Prepend(Header()));

    private string Header()
    {
        var header = new StringBuilder(KeysCollide ? "keys collide" : "keys do not collide");
        for (var i = 0; i < Rules.Length; i++)
        {
            header.AppendLine().Append(null, $"rules {i}: {Rules[i]}");
        }

        return header.AppendLine().ToString();
    }

    private List<string> Run(FlightModel model, Subject? subject, Comparison? comparison)
    {
        var done = new List<string>();
        try
        {
            foreach (var step in Steps)
            {
                Take(step, model, subject, comparison, done);
            }

            done.Add("-- the end --");
            for (var i = 0; i < MaxLastSteps && Array.Find(s_lastSteps, step => model.Callers.Exists(step.IsPossibleFor)) is { } step; i++)
            {
                Take(step, model, subject, comparison, done);
            }

            comparison?.CheckEnd();
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException(
                string.Join(Environment.NewLine, ["", Header(), .. done, "=> " + exception.Message, ""]), exception);
        }

        return done;
    }

    private static void Take(Step step, FlightModel model, Subject? subject, Comparison? comparison, List<string> done)
    {
        var caller = -1;
        if (step.Pick is { } pick)
        {
            var possible = model.Callers.FindAll(step.IsPossibleFor);
            if (possible.Count == 0)
            {
                return;
            }

            caller = possible[pick % possible.Count].Number;
        }

        model.Notes.Clear();
        var expected = step.Take(model, caller);
        done.Add($"{(caller < 0 ? "" : $"caller {caller}: ")}{step}: {string.Join("; ", model.Notes)}");
        if (subject is not null)
        {
            Comparison.Same("the answer", expected, step.Take(subject, caller));
            comparison!.Check();
        }
    }
}
