namespace Polly.SingleFlight.DocBlocks;

/// <summary>A C# block of the documentation.</summary>
/// <param name="Document">Path of the document from the root of the repository.</param>
/// <param name="Name">Name of the block. A block that is shown twice has the same name and the same text.</param>
/// <param name="Continues">Name of the block that stands before this one in the same program; null if there is none.</param>
/// <param name="Given">Declarations of the code around the block: types, parameters, and the type that it returns.</param>
/// <param name="Usings">Using directives that the block shows.</param>
/// <param name="Statements">Statements of the block.</param>
/// <param name="Types">Types that the block declares, after its statements.</param>
public sealed record DocBlock(
    string Document, string Name, string? Continues, IReadOnlyList<string> Given, IReadOnlyList<string> Usings, string Statements, string Types)
{
    /// <summary>Gets what the block shows below its using directives.</summary>
    public string Body { get; } = string.Join("\n\n", new[] { Statements, Types }.Where(static part => part.Length > 0));
}
