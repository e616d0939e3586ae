namespace HttpClientDemo;

/// <summary>The command line is not understood.</summary>
internal sealed class CommandLineException(string message) : Exception(message);
