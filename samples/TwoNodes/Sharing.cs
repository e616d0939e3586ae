namespace TwoNodes;

/// <summary>Who shares a call.</summary>
internal enum Sharing
{
    /// <summary>The callers of one node.</summary>
    OneNode,

    /// <summary>The callers of all nodes.</summary>
    AllNodes,
}
