using Polly.SingleFlight.DocBlocks;

if (args is not [var repository, var folder])
{
    Console.Error.WriteLine("usage: Polly.SingleFlight.DocBlocks <root of the repository> <folder for the files>");
    return 2;
}

var documents = Directory.EnumerateFiles(repository, "README.md").Concat(Directory.EnumerateFiles(Path.Combine(repository, "docs"), "*.md"))
    .Concat(Directory.EnumerateFiles(Path.Combine(repository, "src"), "README.md", SearchOption.AllDirectories))
    .Select(file => (Path: Path.GetRelativePath(repository, file).Replace('\\', '/'), Text: File.ReadAllText(file).ReplaceLineEndings("\n")))
    .ToArray();
var outputs = documents.SelectMany(document => DocParser.Outputs(document.Text)).ToDictionary();
var blocks = documents.SelectMany(document => DocParser.Blocks(document.Path, document.Text)).ToArray();
Directory.CreateDirectory(folder);
foreach (var (name, text) in DocProgram.Files(blocks, outputs))
{
    File.WriteAllText(Path.Combine(folder, name), text);
}

Console.WriteLine($"{blocks.Length} blocks of {documents.Length} documents, {outputs.Count} of them with their output");
return 0;
