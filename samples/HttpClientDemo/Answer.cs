namespace HttpClientDemo;

/// <summary>What one caller got, and how long it waited.</summary>
internal readonly record struct Answer(TimeSpan Latency, AccessToken? Token, Exception? Error);
