namespace Tapestry.Crypto.Tests.Vectors;

/// <summary>Vectors are printed in hexadecimal.</summary>
internal static class Hex
{
    public static byte[] Bytes(string text) => Convert.FromHexString(text);

    public static byte[] Range(byte first, byte last)
    {
        byte[] bytes = new byte[last - first + 1];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(first + i);
        }

        return bytes;
    }
}
