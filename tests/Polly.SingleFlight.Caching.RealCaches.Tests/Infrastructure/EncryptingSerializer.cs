using System.Buffers;
using System.Text;

namespace Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;

/// <summary>Writes tokens so that they cannot be read in the distributed cache, and only with the same key.</summary>
internal sealed class EncryptingSerializer(byte key = 0x5a) : IHybridCacheSerializer<Token>
{
    public int Written { get; private set; }

    public int Read { get; private set; }

    public Token Deserialize(ReadOnlySequence<byte> source)
    {
        Read++;
        var text = Encoding.UTF8.GetString([.. source.ToArray().Select(one => (byte)(one ^ key))]);
        return text.StartsWith("token:", StringComparison.Ordinal) ? new Token { Value = text[6..] } : throw new InvalidDataException("Another key.");
    }

    public void Serialize(Token value, IBufferWriter<byte> target)
    {
        Written++;
        target.Write([.. Encoding.UTF8.GetBytes("token:" + value.Value).Select(one => (byte)(one ^ key))]);
    }
}
