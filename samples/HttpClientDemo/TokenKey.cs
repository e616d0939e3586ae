namespace HttpClientDemo;

/// <summary>What makes two tokens the same, for the cache and for single flight.</summary>
internal sealed record TokenKey(string Business, string Region);
