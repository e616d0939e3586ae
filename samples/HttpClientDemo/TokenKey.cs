namespace HttpClientDemo;

/// <summary>
/// The key that callers share a flight by. It says everything in which two token requests may differ, and a record has the
/// value equality that a key needs. Whatever is added to the request belongs here too.
/// </summary>
internal sealed record TokenKey(string Business, string Region);
