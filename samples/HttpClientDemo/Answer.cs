namespace HttpClientDemo;

/// <summary>What one caller got, and how long it waited, if it was not answered at once.</summary>
internal readonly record struct Answer(TimeSpan Latency, bool HasWaited, AccessToken? Token, Exception? Error);
