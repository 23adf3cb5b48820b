using System.Diagnostics.CodeAnalysis;

namespace Tapestry.Protocol.Ledger;

/// <summary>Base64 of RFC 4648, section 4, in which each byte string has one text.</summary>
internal static class StrictBase64
{
    /// <summary>Decodes; refuses white space, missing padding and stray bits, which the base library lets pass in part.</summary>
    public static bool TryDecode(string text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        byte[] buffer = new byte[(text.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64String(text, buffer, out int length)
            || Convert.ToBase64String(buffer, 0, length) != text)
        {
            return false;
        }

        bytes = buffer[..length];
        return true;
    }
}
